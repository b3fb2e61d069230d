/* Fields of a step, and the pieces of results, for the scenario's executor in C. */
#ifndef INTMILL_TESTS_BINDINGS_FIELDS_H
#define INTMILL_TESTS_BINDINGS_FIELDS_H

#include <cjson/cJSON.h>

#include "objects.h"

/* Hands a failure on. */
#define TRY(call)                          \
  do {                                     \
    const intmill_status tried = (call);   \
    if (tried != INTMILL_OK) return tried; \
  } while (0)

/* ---- Fields of a step */

static inline const char* string_in(const cJSON* step, const char* key) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(step, key));
}

static inline int has(const cJSON* step, const char* key) { return cJSON_HasObjectItem(step, key); }

static inline double number_in(const cJSON* step, const char* key) {
  const cJSON* item = cJSON_GetObjectItemCaseSensitive(step, key);
  if (!cJSON_IsNumber(item)) give_up("no number", key);
  return item->valuedouble;
}

static inline int64_t integer_in(const cJSON* step, const char* key) {
  return (int64_t)number_in(step, key);
}

/* The object that a field names; NULL when the field is not there. */
static inline void* object_in(const cJSON* step, const char* key) {
  return has(step, key) ? find(string_in(step, key))->pointer : NULL;
}

static inline intmill_options* options_in(const cJSON* step) { return object_in(step, "options"); }

static inline intmill_dtype dtype_in(const cJSON* step) {
  return (intmill_dtype)value_of(kDtypes, string_in(step, "dtype"));
}

static inline intmill_side side_in(const cJSON* step) {
  return (intmill_side)value_of(kSides, string_in(step, "side"));
}

static inline int64_t tensors_in(const cJSON* step, const char* key, intmill_tensor** tensors,
                                 int limit) {
  int64_t n = 0;
  const cJSON* item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(step, key)) {
    if (n == limit) give_up("too many", key);
    tensors[n++] = find(cJSON_GetStringValue(item))->pointer;
  }
  return n;
}

/* ---- Pieces of results */

static inline void show_tensor(intmill_tensor* t, text* result) {
  append(result, dtype_name(intmill_tensor_dtype(t)));
  append(result, " ");
  append_dims(result, intmill_tensor_rank(t), intmill_tensor_dims(t));
  append(result, " ");
  append_hash(result, intmill_tensor_data(t), intmill_tensor_bytes(t));
}

static inline intmill_status show_model(const intmill_model* m, text* result) {
  for (int side = INTMILL_INPUT; side <= INTMILL_OUTPUT; ++side) {
    if (side == INTMILL_OUTPUT) append(result, " -> ");
    for (int64_t i = 0; i < intmill_model_port_count(m, (intmill_side)side); ++i) {
      intmill_port port = INTMILL_PORT_INIT;
      TRY(intmill_model_port(m, (intmill_side)side, i, &port));
      append(result, i > 0 ? ", " : "");
      append(result, port.name);
      append(result, " ");
      append(result, dtype_name(port.dtype));
      append(result, " ");
      append_dims(result, port.rank, port.dims);
    }
  }
  return INTMILL_OK;
}

static inline void show_qparams(const intmill_qparams* q, text* result) {
  const int64_t n = intmill_qparams_count(q);
  append(result, dtype_name(intmill_qparams_dtype(q)));
  append(result, " ");
  append_i64(result, intmill_qparams_axis(q));
  append(result, " ");
  append_i64(result, n);
  append(result, " ");
  append_hash(result, intmill_qparams_scales(q), n * (int64_t)sizeof(float));
  append(result, " ");
  append_hash(result, intmill_qparams_zero_points(q), n * (int64_t)sizeof(int32_t));
}

#endif /* INTMILL_TESTS_BINDINGS_FIELDS_H */
