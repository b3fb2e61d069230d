/* Carries out a scenario through intmill.h; tests/bindings/README.md has the verbs. */
#include <cjson/cJSON.h>
#include <ctype.h>

#include "fields.h"
#include "objects.h"

/* ---- The library and options */

static intmill_status do_version(const cJSON* step, text* result) {
  (void)step;
  append_i64(result, intmill_version());
  return INTMILL_OK;
}

static intmill_status do_known(const cJSON* step, text* result) {
  intmill_report* known;
  (void)step;
  TRY(intmill_options_known(&known));
  append_hash(result, intmill_report_json(known), (int64_t)strlen(intmill_report_json(known)));
  intmill_report_release(known);
  return INTMILL_OK;
}

static intmill_status do_doctor(const cJSON* step, text* result) {
  intmill_report* facts;
  (void)step;
  TRY(intmill_doctor(&facts));
  for (int64_t i = 0; i < intmill_report_rows(facts); ++i) {
    if (i > 0) append(result, " ");
    append(result, intmill_report_str(facts, i, 0));
  }
  intmill_report_release(facts);
  return INTMILL_OK;
}

static intmill_status do_isa_limit(const cJSON* step, text* result) {
  (void)result;
  return intmill_isa_limit((intmill_isa)integer_in(step, "isa"));
}

static int32_t hear(void* user, const intmill_progress* now) {
  heard* h = user;
  int known = 0;
  for (int i = 0; i < h->n_stages; ++i) known |= strcmp(h->stages[i], now->stage) == 0;
  if (!known && h->n_stages < MAX_STAGES)
    snprintf(h->stages[h->n_stages++], sizeof h->stages[0], "%s", now->stage);
  return ++h->calls == h->stop_at;
}

static intmill_status do_options(const cJSON* step, text* result) {
  intmill_options* made;
  TRY(intmill_options_from_json(string_in(step, "json"), &made));
  object* o = keep(string_in(step, "as"), made, release_options);
  if (has(step, "listen") || has(step, "stop_at")) {
    o->ears = &ears[n_ears++];
    o->ears->stop_at = has(step, "stop_at") ? integer_in(step, "stop_at") : -1;
    TRY(intmill_options_on_progress(made, hear, o->ears));
  }
  append(result, intmill_options_json(made));
  return INTMILL_OK;
}

/* The key that the library knows by this name in lower case. */
static intmill_opt key_named(const char* name) {
  char lower[64] = "";
  intmill_report* known;
  int32_t key = 0;
  for (size_t i = 0; name && name[i] && i + 1 < sizeof lower; ++i)
    lower[i] = (char)tolower((unsigned char)name[i]);
  if (intmill_options_known(&known) != INTMILL_OK) give_up("no list of", "options");
  for (int64_t i = 0; i < intmill_report_rows(known); ++i)
    if (strcmp(intmill_report_str(known, i, 1), lower) == 0)
      key = (int32_t)intmill_report_f64(known, i, 0);
  intmill_report_release(known);
  if (key == 0) give_up("no option", name);
  return (intmill_opt)key;
}

static intmill_status do_set(const cJSON* step, text* result) {
  intmill_options* o = object_in(step, "object");
  const intmill_opt key = key_named(string_in(step, "key"));
  const char *layer = string_in(step, "layer"), *value = string_in(step, "value");
  if (has(step, "number"))
    TRY(intmill_options_set_f64(o, layer, key, number_in(step, "number")));
  else if (value)
    TRY(intmill_options_set_str(o, layer, key, value));
  else
    TRY(intmill_options_set_i64(o, layer, key, integer_in(step, "value")));
  append(result, intmill_options_json(o));
  return INTMILL_OK;
}

static intmill_status do_heard(const cJSON* step, text* result) {
  const heard* h = find(string_in(step, "object"))->ears;
  for (int i = 0; h && i < h->n_stages; ++i) {
    append(result, i > 0 ? ", " : "");
    append(result, h->stages[i]);
  }
  return INTMILL_OK;
}

/* ---- Tensors */

static void set_element(intmill_tensor* t, int64_t i, double value) {
  void* data = intmill_tensor_data(t);
  switch (intmill_tensor_dtype(t)) {
    case INTMILL_F32:
      ((float*)data)[i] = (float)value;
      break;
    case INTMILL_S8:
      ((int8_t*)data)[i] = (int8_t)value;
      break;
    case INTMILL_U8:
      ((uint8_t*)data)[i] = (uint8_t)value;
      break;
    case INTMILL_S32:
      ((int32_t*)data)[i] = (int32_t)value;
      break;
    case INTMILL_S64:
      ((int64_t*)data)[i] = (int64_t)value;
      break;
    default:
      give_up("cannot fill", dtype_name(intmill_tensor_dtype(t)));
  }
}

static void fill(intmill_tensor* t, const cJSON* step) {
  int64_t elements = 1, at = 0;
  for (int64_t i = 0; i < intmill_tensor_rank(t); ++i) elements *= intmill_tensor_dims(t)[i];
  const cJSON* item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(step, "values")) {
    if (at == elements) give_up("too many", "values");
    set_element(t, at++, item->valuedouble);
  }
  if (!has(step, "seed")) return;
  uint64_t state = (uint64_t)integer_in(step, "seed");
  for (int64_t i = 0; i < elements; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    set_element(t, i,
                intmill_tensor_dtype(t) == INTMILL_F32 ? (double)(state >> 40) / 16777216.0
                                                       : (double)(state >> 57));
  }
}

/* Keeps and shows what a call made. */
static intmill_status keep_tensor(const cJSON* step, intmill_tensor* made, text* result) {
  keep(string_in(step, "as"), made, release_tensor);
  show_tensor(made, result);
  return INTMILL_OK;
}

static intmill_status do_tensor(const cJSON* step, text* result) {
  int64_t dims[12], rank = 0;
  intmill_tensor* made;
  const cJSON* item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(step, "dims")) {
    if (rank == 12) give_up("too many", "dims");
    dims[rank++] = (int64_t)item->valuedouble;
  }
  TRY(intmill_tensor_create(dtype_in(step), rank, dims, &made));
  fill(made, step);
  return keep_tensor(step, made, result);
}

static intmill_status do_show(const cJSON* step, text* result) {
  show_tensor(object_in(step, "object"), result);
  return INTMILL_OK;
}

static intmill_status keep_qparams(const cJSON* step, intmill_qparams* made, text* result) {
  keep(string_in(step, "as"), made, release_qparams);
  show_qparams(made, result);
  return INTMILL_OK;
}

static intmill_status do_qparams(const cJSON* step, text* result) {
  enum { LIMIT = 64 };
  float scales[LIMIT];
  int32_t zero_points[LIMIT];
  int n = 0, n_zero = 0;
  intmill_qparams* made;
  const cJSON* item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(step, "scales")) if (n < LIMIT)
      scales[n++] = (float)item->valuedouble;
  cJSON_ArrayForEach(item,
                     cJSON_GetObjectItemCaseSensitive(step, "zero_points")) if (n_zero < LIMIT)
      zero_points[n_zero++] = item->valueint;
  TRY(intmill_qparams_create(dtype_in(step), (int32_t)integer_in(step, "axis"), n, scales,
                             n_zero > 0 ? zero_points : NULL, &made));
  return keep_qparams(step, made, result);
}

static intmill_status do_choose(const cJSON* step, text* result) {
  intmill_qparams* made;
  TRY(intmill_qparams_choose(object_in(step, "tensor"), (int32_t)integer_in(step, "axis"),
                             options_in(step), &made));
  return keep_qparams(step, made, result);
}

static intmill_status do_quantize_tensor(const cJSON* step, text* result) {
  intmill_tensor* made;
  TRY(intmill_tensor_quantize(object_in(step, "tensor"), object_in(step, "qparams"), &made));
  return keep_tensor(step, made, result);
}

static intmill_status do_dequantize(const cJSON* step, text* result) {
  intmill_tensor* made;
  TRY(intmill_tensor_dequantize(object_in(step, "tensor"), &made));
  return keep_tensor(step, made, result);
}

static intmill_status do_fake_quantize(const cJSON* step, text* result) {
  intmill_tensor* made;
  TRY(intmill_tensor_fake_quantize(object_in(step, "tensor"), object_in(step, "qparams"), &made));
  return keep_tensor(step, made, result);
}

static intmill_status do_compare(const cJSON* step, text* result) {
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  TRY(intmill_tensor_compare(object_in(step, "a"), object_in(step, "b"), &d));
  const double numbers[] = {d.max_abs, d.mean_abs, d.mse, d.sqnr_db, d.cosine};
  for (int i = 0; i < 5; ++i) {
    append_bits(result, numbers[i]);
    append(result, " ");
  }
  append_i64(result, d.bytes_a);
  append(result, " ");
  append_i64(result, d.bytes_b);
  return INTMILL_OK;
}

/* ---- Models */

static intmill_status keep_model(const cJSON* step, intmill_model* made) {
  keep(string_in(step, "as"), made, release_model);
  return INTMILL_OK;
}

static intmill_status do_load(const cJSON* step, text* result) {
  intmill_model* made;
  TRY(intmill_model_load(string_in(step, "path"), options_in(step), &made));
  TRY(keep_model(step, made));
  return show_model(made, result);
}

static intmill_status do_load_memory(const cJSON* step, text* result) {
  intmill_tensor* t = object_in(step, "tensor");
  const int64_t bytes = intmill_tensor_bytes(t);
  intmill_model* made;
  void* copy = malloc((size_t)bytes + 1);
  if (!copy) give_up("no memory for", "a copy");
  memcpy(copy, intmill_tensor_data(t), (size_t)bytes);
  const intmill_status status =
      intmill_model_load_memory(copy, bytes, free_copy, NULL, options_in(step), &made);
  if (status != INTMILL_OK) {
    free(copy);
    return status;
  }
  TRY(keep_model(step, made));
  return show_model(made, result);
}

static intmill_status do_save(const cJSON* step, text* result) {
  const char* path = string_in(step, "path");
  TRY(intmill_model_save(object_in(step, "model"), path, options_in(step)));
  hash_file(path, result);
  return INTMILL_OK;
}

static intmill_status do_save_memory(const cJSON* step, text* result) {
  intmill_tensor* made;
  TRY(intmill_model_save_memory(object_in(step, "model"), options_in(step), &made));
  return keep_tensor(step, made, result);
}

static intmill_status do_annotate(const cJSON* step, text* result) {
  intmill_model* made;
  (void)result;
  TRY(intmill_model_annotate(object_in(step, "model"), string_in(step, "key"),
                             string_in(step, "value"), &made));
  return keep_model(step, made);
}

static intmill_status do_quantize(const cJSON* step, text* result) {
  intmill_model* made;
  (void)result;
  TRY(intmill_quantize(object_in(step, "model"), object_in(step, "calibration"), options_in(step),
                       &made));
  return keep_model(step, made);
}

static intmill_status do_equalize(const cJSON* step, text* result) {
  intmill_model* made;
  (void)result;
  TRY(intmill_equalize(object_in(step, "model"), options_in(step), &made));
  return keep_model(step, made);
}

static intmill_status do_smooth(const cJSON* step, text* result) {
  intmill_model* made;
  (void)result;
  TRY(intmill_smooth(object_in(step, "model"), object_in(step, "calibration"), options_in(step),
                     &made));
  return keep_model(step, made);
}

static intmill_status do_sign(const cJSON* step, text* result) {
  intmill_model* made;
  (void)result;
  TRY(intmill_model_certify(object_in(step, "model"), object_in(step, "probe"), &made));
  return keep_model(step, made);
}

/* ---- Reports */

static intmill_status report_in(const cJSON* step, intmill_report** out) {
  const object* o = find(string_in(step, "object"));
  const intmill_report_kind kind = (intmill_report_kind)value_of(kReports, string_in(step, "kind"));
  if (o->release == release_model) return intmill_model_report(o->pointer, kind, out);
  if (o->release == release_probe) return intmill_probe_report(o->pointer, kind, out);
  return intmill_session_report(o->pointer, kind, out);
}

static intmill_status do_report(const cJSON* step, text* result) {
  intmill_report* r;
  TRY(report_in(step, &r));
  append(result, intmill_report_json(r));
  intmill_report_release(r);
  return INTMILL_OK;
}

static intmill_status do_columns(const cJSON* step, text* result) {
  intmill_report* r;
  TRY(report_in(step, &r));
  append_i64(result, intmill_report_rows(r));
  for (int64_t i = 0; i < intmill_report_columns(r); ++i) {
    append(result, " ");
    append(result, intmill_report_column(r, i));
  }
  intmill_report_release(r);
  return INTMILL_OK;
}

static intmill_status do_cell(const cJSON* step, text* result) {
  intmill_report* r;
  TRY(report_in(step, &r));
  const char* name = string_in(step, "column");
  int64_t column = 0;
  while (column < intmill_report_columns(r) && strcmp(intmill_report_column(r, column), name) != 0)
    ++column;
  append(result, intmill_report_str(r, integer_in(step, "row"), column));
  append(result, " ");
  append_bits(result, intmill_report_f64(r, integer_in(step, "row"), column));
  intmill_report_release(r);
  return INTMILL_OK;
}

/* ---- Probes, sessions, bindings */

static intmill_status keep_probe(const cJSON* step, intmill_probe* made) {
  keep(string_in(step, "as"), made, release_probe);
  return INTMILL_OK;
}

static intmill_status do_calibrate(const cJSON* step, text* result) {
  intmill_probe* made;
  (void)result;
  TRY(intmill_probe_calibrate(object_in(step, "model"), options_in(step), &made));
  return keep_probe(step, made);
}

static intmill_status do_sensitivity(const cJSON* step, text* result) {
  intmill_probe* made;
  (void)result;
  TRY(intmill_probe_sensitivity(object_in(step, "model"), object_in(step, "calibration"),
                                options_in(step), &made));
  return keep_probe(step, made);
}

static intmill_status do_rounding(const cJSON* step, text* result) {
  intmill_probe* made;
  (void)result;
  TRY(intmill_probe_rounding(object_in(step, "model"), object_in(step, "calibration"),
                             options_in(step), &made));
  return keep_probe(step, made);
}

static intmill_status do_verify(const cJSON* step, text* result) {
  intmill_probe* made;
  (void)result;
  TRY(intmill_probe_verify(object_in(step, "reference"), object_in(step, "candidate"),
                           options_in(step), &made));
  return keep_probe(step, made);
}

static intmill_status do_certify(const cJSON* step, text* result) {
  intmill_probe* made;
  (void)result;
  TRY(intmill_probe_certify(object_in(step, "reference"), object_in(step, "candidate"),
                            options_in(step), &made));
  return keep_probe(step, made);
}

static intmill_status do_replay(const cJSON* step, text* result) {
  intmill_probe* made;
  (void)result;
  TRY(intmill_probe_replay(object_in(step, "model"), options_in(step), &made));
  return keep_probe(step, made);
}

static intmill_status do_save_probe(const cJSON* step, text* result) {
  const char* path = string_in(step, "path");
  TRY(intmill_probe_save(object_in(step, "probe"), path, options_in(step)));
  hash_file(path, result);
  return INTMILL_OK;
}

static intmill_status do_load_probe(const cJSON* step, text* result) {
  intmill_probe* made;
  (void)result;
  TRY(intmill_probe_load(string_in(step, "path"), options_in(step), &made));
  return keep_probe(step, made);
}

static intmill_status do_merge(const cJSON* step, text* result) {
  (void)result;
  return intmill_probe_merge(object_in(step, "probe"), object_in(step, "other"));
}

enum { MAX_TENSORS = 8 };

static intmill_status do_feed(const cJSON* step, text* result) {
  intmill_tensor *inputs[MAX_TENSORS], *targets[MAX_TENSORS];
  const int64_t n_inputs = tensors_in(step, "inputs", inputs, MAX_TENSORS);
  const int64_t n_targets = tensors_in(step, "targets", targets, MAX_TENSORS);
  (void)result;
  return intmill_probe_feed(object_in(step, "probe"), inputs, n_inputs, targets, n_targets);
}

static intmill_status do_session(const cJSON* step, text* result) {
  intmill_session* made;
  (void)result;
  TRY(intmill_session_create(object_in(step, "model"), options_in(step), &made));
  keep(string_in(step, "as"), made, release_session);
  return INTMILL_OK;
}

static intmill_status do_run(const cJSON* step, text* result) {
  intmill_tensor *inputs[MAX_TENSORS], *outputs[MAX_TENSORS] = {NULL};
  const cJSON* names = cJSON_GetObjectItemCaseSensitive(step, "as");
  const int n_outputs = cJSON_GetArraySize(names);
  const int64_t n_inputs = tensors_in(step, "inputs", inputs, MAX_TENSORS);
  if (n_outputs > MAX_TENSORS) give_up("too many", "as");
  TRY(intmill_session_run(object_in(step, "session"), inputs, n_inputs, outputs, n_outputs));
  for (int i = 0; i < n_outputs; ++i) {
    keep(cJSON_GetStringValue(cJSON_GetArrayItem(names, i)), outputs[i], release_tensor);
    append(result, i > 0 ? ", " : "");
    show_tensor(outputs[i], result);
  }
  return INTMILL_OK;
}

static intmill_status do_save_session(const cJSON* step, text* result) {
  (void)result;
  return intmill_session_save(object_in(step, "session"), string_in(step, "path"));
}

static intmill_status do_binding(const cJSON* step, text* result) {
  intmill_binding* made;
  (void)result;
  TRY(intmill_binding_create(object_in(step, "session"), &made));
  keep(string_in(step, "as"), made, release_binding);
  return INTMILL_OK;
}

static intmill_status do_bind(const cJSON* step, text* result) {
  (void)result;
  return intmill_binding_set(object_in(step, "binding"), side_in(step), integer_in(step, "index"),
                             object_in(step, "tensor"));
}

static intmill_status do_bound(const cJSON* step, text* result) {
  intmill_tensor* made;
  TRY(intmill_binding_get(object_in(step, "binding"), side_in(step), integer_in(step, "index"),
                          &made));
  return keep_tensor(step, made, result);
}

static intmill_status do_run_binding(const cJSON* step, text* result) {
  (void)result;
  return intmill_binding_run(object_in(step, "binding"));
}

static intmill_status do_release(const cJSON* step, text* result) {
  (void)result;
  drop(find(string_in(step, "object")));
  return INTMILL_OK;
}

/* ---- The run */

static const struct {
  const char* name;
  intmill_status (*carry_out)(const cJSON* step, text* result);
} kVerbs[] = {
    {"version", do_version},
    {"known", do_known},
    {"doctor", do_doctor},
    {"isa_limit", do_isa_limit},
    {"options", do_options},
    {"set", do_set},
    {"heard", do_heard},
    {"tensor", do_tensor},
    {"show", do_show},
    {"load", do_load},
    {"load_memory", do_load_memory},
    {"save", do_save},
    {"save_memory", do_save_memory},
    {"annotate", do_annotate},
    {"report", do_report},
    {"columns", do_columns},
    {"cell", do_cell},
    {"calibrate", do_calibrate},
    {"sensitivity", do_sensitivity},
    {"rounding", do_rounding},
    {"verify", do_verify},
    {"certify", do_certify},
    {"replay", do_replay},
    {"save_probe", do_save_probe},
    {"load_probe", do_load_probe},
    {"merge", do_merge},
    {"feed", do_feed},
    {"quantize", do_quantize},
    {"equalize", do_equalize},
    {"smooth", do_smooth},
    {"sign", do_sign},
    {"session", do_session},
    {"run", do_run},
    {"save_session", do_save_session},
    {"binding", do_binding},
    {"bind", do_bind},
    {"bound", do_bound},
    {"run_binding", do_run_binding},
    {"qparams", do_qparams},
    {"choose", do_choose},
    {"quantize_tensor", do_quantize_tensor},
    {"dequantize", do_dequantize},
    {"fake_quantize", do_fake_quantize},
    {"compare", do_compare},
    {"release", do_release},
};

static void carry_out(int number, const cJSON* step) {
  const char* verb = string_in(step, "do");
  text result = {NULL, 0};
  for (size_t i = 0; i < sizeof kVerbs / sizeof kVerbs[0]; ++i) {
    if (strcmp(kVerbs[i].name, verb) != 0) continue;
    const intmill_status status = kVerbs[i].carry_out(step, &result);
    printf("{\"step\": %d, ", number);
    print_pair("do", verb, ", ");
    print_pair("status", intmill_status_name(status), ", ");
    print_pair("result", status == INTMILL_OK && result.data ? result.data : "", ", ");
    print_pair("message", status == INTMILL_OK ? "" : intmill_last_error(), "}\n");
    free(result.data);
    return;
  }
  give_up("no verb", verb);
}

static char* read_file(const char* path) {
  FILE* file = fopen(path, "rb");
  text all = {NULL, 0};
  char block[4096];
  size_t n;
  if (!file) give_up("cannot open", path);
  while ((n = fread(block, 1, sizeof block - 1, file)) > 0) {
    block[n] = 0;
    append(&all, block);
  }
  fclose(file);
  return all.data;
}

int main(int argc, char** argv) {
  char* source = read_file(argc == 2 ? argv[1] : "");
  cJSON* steps = cJSON_Parse(source);
  int number = 0;
  const cJSON* step;
  if (!cJSON_IsArray(steps)) give_up("not a list of steps:", argv[1]);
  cJSON_ArrayForEach(step, steps) if (has(step, "do")) carry_out(++number, step);
  for (int i = 0; i < n_objects; ++i)
    if (objects[i].pointer) drop(&objects[i]);
  cJSON_Delete(steps);
  free(source);
  return 0;
}
