/* What the scenario's executor in C keeps and prints: objects by name, growing text, hashes. */
#ifndef INTMILL_TESTS_BINDINGS_OBJECTS_H
#define INTMILL_TESTS_BINDINGS_OBJECTS_H

#include <intmill/intmill.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OBJECTS = 256, MAX_STAGES = 16 };

/* The scenario cannot be carried out. */
static inline void give_up(const char* what, const char* name) {
  fprintf(stderr, "scenario: %s '%s'\n", what, name ? name : "(none)");
  exit(2);
}

/* ---- Text that grows */

typedef struct text {
  char* data;
  size_t size;
} text;

static inline void append(text* t, const char* more) {
  const size_t length = strlen(more);
  char* grown = realloc(t->data, t->size + length + 1);
  if (!grown) give_up("no memory for", "text");
  t->data = grown;
  memcpy(t->data + t->size, more, length + 1);
  t->size += length;
}

static inline void append_i64(text* t, int64_t value) {
  char digits[24];
  snprintf(digits, sizeof digits, "%" PRId64, value);
  append(t, digits);
}

static inline void append_hash(text* t, const void* data, int64_t bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  char digits[24];
  for (int64_t i = 0; i < bytes; ++i)
    hash = (hash ^ ((const unsigned char*)data)[i]) * 0x100000001b3u;
  snprintf(digits, sizeof digits, "%016" PRIx64, hash);
  append(t, digits);
}

static inline void hash_file(const char* path, text* result) {
  FILE* file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) give_up("cannot read", path);
  const long bytes = ftell(file);
  void* data = malloc((size_t)bytes + 1);
  rewind(file);
  if (!data || fread(data, 1, (size_t)bytes, file) != (size_t)bytes) give_up("cannot read", path);
  append_hash(result, data, bytes);
  free(data);
  fclose(file);
}

static inline void append_bits(text* t, double number) {
  uint64_t bits;
  char digits[24];
  memcpy(&bits, &number, sizeof bits);
  snprintf(digits, sizeof digits, "%016" PRIx64, bits);
  append(t, number != number ? "nan" : digits);
}

static inline void append_dims(text* t, int64_t rank, const int64_t* dims) {
  if (rank <= 0) append(t, rank < 0 ? "*" : "-");
  for (int64_t i = 0; i < rank; ++i) {
    if (i > 0) append(t, "x");
    if (dims[i] < 0)
      append(t, "?");
    else
      append_i64(t, dims[i]);
  }
}

/* "key": "value", with what JSON wants escaped. */
static inline void print_pair(const char* key, const char* value, const char* end) {
  printf("\"%s\": \"", key);
  for (; *value; ++value) {
    if (*value == '"' || *value == '\\')
      printf("\\%c", *value);
    else if ((unsigned char)*value < 0x20)
      printf("\\u%04x", *value);
    else
      putchar(*value);
  }
  printf("\"%s", end);
}

/* ---- Objects by name */

/* What a progress hook has heard; outlives the options, as what was made with them calls it too. */
typedef struct heard {
  int64_t calls, stop_at;
  char stages[MAX_STAGES][64];
  int n_stages;
} heard;

typedef struct object {
  char name[32];
  void* pointer;
  void (*release)(void*);
  heard* ears; /* of options that listen */
} object;

static object objects[MAX_OBJECTS];
static heard ears[MAX_OBJECTS];
static int n_objects, n_ears;

static inline object* find(const char* name) {
  for (int i = 0; name && i < n_objects; ++i)
    if (objects[i].pointer && strcmp(objects[i].name, name) == 0) return &objects[i];
  give_up("no object", name);
  return NULL;
}

static inline void drop(object* o) {
  o->release(o->pointer);
  o->pointer = NULL;
}

static inline object* keep(const char* name, void* pointer, void (*release)(void*)) {
  if (!name || strlen(name) >= sizeof objects[0].name || n_objects == MAX_OBJECTS)
    give_up("cannot keep", name);
  for (int i = 0; i < n_objects; ++i)
    if (objects[i].pointer && strcmp(objects[i].name, name) == 0) drop(&objects[i]);
  object* o = &objects[n_objects++];
  strcpy(o->name, name);
  o->pointer = pointer;
  o->release = release;
  return o;
}

/* Release functions of one type for all objects. */
#define RELEASER(type) \
  static inline void release_##type(void* pointer) { intmill_##type##_release(pointer); }
RELEASER(options)
RELEASER(tensor)
RELEASER(qparams)
RELEASER(model)
RELEASER(probe)
RELEASER(session)
RELEASER(binding)

/* The model borrows the tensor's memory; the scenario may release the tensor, so it gets a copy. */
static inline void free_copy(void* user, void* data) {
  (void)user;
  free(data);
}

/* ---- Names of enums */

typedef struct name_of {
  const char* name;
  int32_t value;
} name_of;

static const name_of kDtypes[] = {
    {"f32", INTMILL_F32}, {"f16", INTMILL_F16},   {"bf16", INTMILL_BF16},
    {"s8", INTMILL_S8},   {"u8", INTMILL_U8},     {"s32", INTMILL_S32},
    {"s64", INTMILL_S64}, {"bool", INTMILL_BOOL}, {NULL, 0}};
static const name_of kSides[] = {{"input", INTMILL_INPUT}, {"output", INTMILL_OUTPUT}, {NULL, 0}};
static const name_of kReports[] = {
    {"LAYERS", INTMILL_REPORT_LAYERS},           {"METADATA", INTMILL_REPORT_METADATA},
    {"PROFILE", INTMILL_REPORT_PROFILE},         {"MEMORY", INTMILL_REPORT_MEMORY},
    {"SUMMARY", INTMILL_REPORT_SUMMARY},         {"OUTPUTS", INTMILL_REPORT_OUTPUTS},
    {"RANGES", INTMILL_REPORT_RANGES},           {"HISTOGRAMS", INTMILL_REPORT_HISTOGRAMS},
    {"REPLAY", INTMILL_REPORT_REPLAY},           {"SENSITIVITY", INTMILL_REPORT_SENSITIVITY},
    {"CERTIFICATE", INTMILL_REPORT_CERTIFICATE}, {NULL, 0}};

static inline int32_t value_of(const name_of* names, const char* name) {
  for (; names->name; ++names)
    if (name && strcmp(names->name, name) == 0) return names->value;
  give_up("no such value", name);
  return 0;
}

static inline const char* dtype_name(intmill_dtype dtype) {
  for (const name_of* n = kDtypes; n->name; ++n)
    if (n->value == (int32_t)dtype) return n->name;
  return "?";
}

#endif /* INTMILL_TESTS_BINDINGS_OBJECTS_H */
