// Tests of loading, saving, asking and annotating models.
#include <sys/stat.h>
#include <unistd.h>

#include "capi/onnx.h"
#include "capi/support.h"
#include "unit/temporary_folder.h"

namespace {

intmill_status Load(const std::string& bytes, const intmill_options* opts, intmill_model** out) {
  return intmill_model_load_memory(bytes.data(), static_cast<int64_t>(bytes.size()), nullptr,
                                   nullptr, opts, out);
}

struct Freed {
  int calls = 0;
};

void CountFree(void* user, void* data) {
  ++static_cast<Freed*>(user)->calls;
  std::free(data);
}

// A copy that the library is to give back.
void* Copy(const std::string& bytes) {
  void* copy = std::malloc(bytes.size());
  std::memcpy(copy, bytes.data(), bytes.size());
  return copy;
}

intmill_port Port(const intmill_model* m, intmill_side side, int64_t index) {
  intmill_port port = INTMILL_PORT_INIT;
  MUST(intmill_model_port(m, side, index, &port));
  return port;
}

std::string Metadata(const intmill_model* m, const std::string& key) {
  Report r;
  MUST(intmill_model_report(m, INTMILL_REPORT_METADATA, &r));
  const int64_t row = Row(r, key);
  return row < 0 ? "absent" : Text(r, row, "value");
}

std::string Bytes(intmill_tensor* t) {
  return {static_cast<const char*>(intmill_tensor_data(t)),
          static_cast<size_t>(intmill_tensor_bytes(t))};
}

}  // namespace

Test(load, describes_inputs_and_outputs) {
  const Model m = LoadSample();
  cr_expect_eq(intmill_model_port_count(m, INTMILL_INPUT), 1);
  cr_expect_eq(intmill_model_port_count(m, INTMILL_OUTPUT), 1);
  const intmill_port input = Port(m, INTMILL_INPUT, 0);
  cr_expect_str_eq(input.name, "image");
  cr_expect_eq(input.dtype, INTMILL_F32);
  cr_assert_eq(input.rank, 4);
  cr_expect_eq(input.dims[0], -1);
  cr_expect_eq(input.dims[3], 28);
  cr_expect_str_eq(Port(m, INTMILL_OUTPUT, 0).name, "logits");
}

Test(load, a_missing_file_is_an_io_error_that_names_it) {
  Model m;
  REFUSED(intmill_model_load("/no/such.onnx", nullptr, &m), INTMILL_ERROR_IO,
          "/no/such.onnx: cannot be opened: No such file or directory");
}

Test(load, a_folder_is_an_io_error) {
  Model m;
  REFUSED(intmill_model_load("/tmp", nullptr, &m), INTMILL_ERROR_IO, "not a regular file");
}

Test(load, bytes_of_no_model_are_bad_format) {
  Model m;
  REFUSED(Load("this is not a model at all, only text", nullptr, &m), INTMILL_ERROR_BAD_FORMAT, "");
  REFUSED(Load("", nullptr, &m), INTMILL_ERROR_BAD_FORMAT, "");
}

Test(load, a_newer_opset_is_bad_version) {
  Model m;
  REFUSED(Load(OnnxAdd("2", 99), nullptr, &m), INTMILL_ERROR_BAD_VERSION, "99");
}

Test(load, a_missing_operator_is_unsupported_by_name) {
  Model m;
  const std::string file = OnnxFile({{OnnxPort("x", {"2"})},
                                     {{"Levitate", {"x"}, "y"}, {"Vanish", {"y"}, "z"}},
                                     {OnnxPort("z", {"2"})}});
  REFUSED(Load(file, nullptr, &m), kUnsupported, "Levitate");
  REFUSED(Load(file, nullptr, &m), kUnsupported, "Vanish");
}

Test(load, contradicting_shapes_are_a_shape_error) {
  Model m;
  const std::string file = OnnxFile({{OnnxPort("a", {"2", "3"}), OnnxPort("b", {"2", "4"})},
                                     {{"Add", {"a", "b"}, "y"}},
                                     {OnnxPort("y", {"2", "3"})}});
  REFUSED(Load(file, nullptr, &m), kShape, "y_node");
}

Test(load, null_arguments_are_refused) {
  Model m;
  REFUSED(intmill_model_load(nullptr, nullptr, &m), kInvalid, "path is NULL");
  REFUSED(intmill_model_load("x", nullptr, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_model_load_memory(nullptr, 5, nullptr, nullptr, nullptr, &m), kInvalid,
          "data is NULL");
  REFUSED(intmill_model_load_memory("x", -1, nullptr, nullptr, nullptr, &m), kInvalid, "is -1");
  REFUSED(intmill_model_load_memory("x", 1, nullptr, nullptr, nullptr, nullptr), kInvalid,
          "out is NULL");
}

Test(load, the_format_may_be_said) {
  Model m;
  const Options intmill = MakeOptions("{\"format\": \"intmill\"}");
  REFUSED(Load(OnnxAdd("2"), intmill, &m), INTMILL_ERROR_BAD_FORMAT, "");
  const Options onnx = MakeOptions("{\"format\": \"onnx\"}");
  MUST(Load(OnnxAdd("2"), onnx, &m));
}

Test(load, named_dimensions_can_be_fixed) {
  const Options opts = MakeOptions("{\"dynamic_dims\": \"batch=5\"}");
  Model m;
  MUST(Load(OnnxAdd("batch"), opts, &m));
  cr_expect_eq(Port(m, INTMILL_INPUT, 1).dims[0], 5);
  cr_expect_eq(Port(m, INTMILL_OUTPUT, 0).dims[0], 5);
}

Test(load, a_dimension_that_does_not_exist_is_refused) {
  const Options opts = MakeOptions("{\"dynamic_dims\": \"seq=5\"}");
  Model m;
  REFUSED(Load(OnnxAdd("batch"), opts, &m), kInvalid, "seq");
}

Test(load, a_pass_that_does_not_exist_is_refused) {
  const Options opts = MakeOptions("{\"disable_passes\": \"fold_laundry\"}");
  Model m;
  REFUSED(Load(OnnxAdd("2"), opts, &m), kInvalid, "fold_laundry");
}

Test(load, all_passes_that_may_be_left_out_can_be) {
  const Options opts = MakeOptions("{\"disable_passes\": \"all\"}");
  const Model m = LoadSample(opts);
  const Session s = Open(m, "{\"disable_passes\": \"all\", \"threads\": 1}");
  const Tensor x = SampleBatch();
  const Tensor y = Run(s, x);
  cr_expect_eq(intmill_tensor_bytes(y), 4 * 10 * 4);
}

Test(load, lent_memory_is_given_back_once_and_last) {
  const std::string file = OnnxAdd("2");
  Freed freed;
  intmill_model* m = nullptr;
  MUST(intmill_model_load_memory(Copy(file), static_cast<int64_t>(file.size()), CountFree, &freed,
                                 nullptr, &m));
  Session s = Open(m);
  intmill_model_release(m);
  intmill_session_release(s.Give());
  cr_expect_eq(freed.calls, 1);
}

Test(load, lent_memory_stays_the_callers_when_loading_fails) {
  const std::string file = OnnxAdd("2", 99);
  Freed freed;
  Model m;
  REFUSED(intmill_model_load_memory(file.data(), static_cast<int64_t>(file.size()), CountFree,
                                    &freed, nullptr, &m),
          INTMILL_ERROR_BAD_VERSION, "99");
  cr_expect_eq(freed.calls, 0);
}

Test(port, what_does_not_exist_is_refused) {
  const Model m = LoadSample();
  intmill_port port = INTMILL_PORT_INIT;
  port.rank = 77;
  REFUSED(intmill_model_port(m, INTMILL_INPUT, 1, &port), kInvalid, "port 1 does not exist");
  REFUSED(intmill_model_port(m, INTMILL_INPUT, -1, &port), kInvalid, "port -1");
  REFUSED(intmill_model_port(m, static_cast<intmill_side>(2), 0, &port), kInvalid, "side 2");
  REFUSED(intmill_model_port(nullptr, INTMILL_INPUT, 0, &port), kInvalid, "m is NULL");
  REFUSED(intmill_model_port(m, INTMILL_INPUT, 0, nullptr), kInvalid, "port is NULL");
  port.struct_size = 31;
  REFUSED(intmill_model_port(m, INTMILL_INPUT, 0, &port), kInvalid, "wanted at least 32");
  cr_expect_eq(port.rank, 77);
  cr_expect_eq(intmill_model_port_count(nullptr, INTMILL_INPUT), 0);
  cr_expect_eq(intmill_model_port_count(m, static_cast<intmill_side>(2)), 0);
}

Test(save, what_was_saved_loads_and_runs_alike) {
  const TemporaryFolder folder;
  const Model m = LoadSample();
  MUST(intmill_model_save(m, (folder / "m.im").c_str(), nullptr));
  Model again;
  MUST(intmill_model_load((folder / "m.im").c_str(), nullptr, &again));
  const Tensor x = SampleBatch();
  const Tensor y = Run(Open(m), x);
  const Tensor z = Run(Open(again), x);
  cr_expect(Floats(y) == Floats(z));
}

Test(save, the_same_model_gives_the_same_bytes) {
  const Model m = LoadSample();
  Tensor one;
  Tensor two;
  MUST(intmill_model_save_memory(m, nullptr, &one));
  MUST(intmill_model_save_memory(m, nullptr, &two));
  cr_expect_eq(intmill_tensor_dtype(one), INTMILL_U8);
  cr_expect_eq(intmill_tensor_rank(one), 1);
  cr_expect(Bytes(one) == Bytes(two));
}

Test(save, memory_and_file_are_the_same_bytes) {
  const TemporaryFolder folder;
  const Model m = LoadSample();
  Tensor memory;
  MUST(intmill_model_save_memory(m, nullptr, &memory));
  MUST(intmill_model_save(m, (folder / "m.im").c_str(), nullptr));
  cr_expect(folder.Read("m.im") == Bytes(memory));
}

Test(save, from_memory_it_loads_whatever_the_alignment) {
  const Model m = LoadSample();
  Tensor file;
  MUST(intmill_model_save_memory(m, nullptr, &file));
  const std::string shifted = "x" + Bytes(file);
  Model again;
  MUST(intmill_model_load_memory(shifted.data() + 1, intmill_tensor_bytes(file), nullptr, nullptr,
                                 nullptr, &again));
  const Tensor x = SampleBatch();
  cr_expect(Floats(Run(Open(m), x)) == Floats(Run(Open(again), x)));
}

Test(save, a_newer_format_is_bad_version) {
  const Model m = LoadSample();
  Tensor file;
  MUST(intmill_model_save_memory(m, nullptr, &file));
  std::string bytes = Bytes(file);
  // The version follows the magic of eight bytes.
  bytes[8] = static_cast<char>(bytes[8] + 1);
  Model again;
  REFUSED(Load(bytes, nullptr, &again), INTMILL_ERROR_BAD_VERSION, "version");
}

Test(save, every_cut_file_is_refused) {
  Model m;
  MUST(Load(OnnxAdd("2"), nullptr, &m));
  Tensor file;
  MUST(intmill_model_save_memory(m, nullptr, &file));
  const std::string bytes = Bytes(file);
  for (size_t n = 0; n < bytes.size(); ++n) {
    Model cut;
    cr_assert_neq(Load(bytes.substr(0, n), nullptr, &cut), INTMILL_OK, "%zu bytes", n);
  }
}

Test(save, as_onnx_what_was_quantized_gives_the_same_numbers) {
  const TemporaryFolder folder;
  const Model m = LoadSample();
  const Model quantized = Quantize(m);
  const Options onnx = MakeOptions("{\"format\": \"onnx\"}");
  Model again;
  MUST(intmill_model_save(quantized, (folder / "m.onnx").c_str(), onnx));
  MUST(intmill_model_load((folder / "m.onnx").c_str(), onnx, &again));
  cr_expect_eq(Metadata(again, "source.producer").substr(0, 8), "intmill ");
  cr_expect_eq(Metadata(again, "intmill.scheme"), "static");
  const Tensor x = SampleBatch();
  cr_expect(Floats(Run(Open(quantized), x)) == Floats(Run(Open(again), x)));
}

Test(save, as_onnx_memory_and_file_are_the_same_bytes) {
  const TemporaryFolder folder;
  const Model m = LoadSample();
  const Options onnx = MakeOptions("{\"format\": \"onnx\"}");
  Tensor one;
  Tensor two;
  MUST(intmill_model_save_memory(m, onnx, &one));
  MUST(intmill_model_save_memory(m, onnx, &two));
  MUST(intmill_model_save(m, (folder / "m.onnx").c_str(), onnx));
  cr_expect(Bytes(one) == Bytes(two));
  cr_expect(folder.Read("m.onnx") == Bytes(one));
  const Options intmill = MakeOptions("{\"format\": \"intmill\"}");
  Model not_ours;
  REFUSED(Load(Bytes(one), intmill, &not_ours), INTMILL_ERROR_BAD_FORMAT, "");
}

Test(save, as_onnx_a_place_that_cannot_be_written_is_an_io_error) {
  const Model m = LoadSample();
  const Options onnx = MakeOptions("{\"format\": \"onnx\"}");
  REFUSED(intmill_model_save(m, "/no/such/m.onnx", onnx), INTMILL_ERROR_IO, "/no/such/m.onnx");
}

Test(save, an_operator_of_our_own_has_no_onnx_form) {
  const std::string file = OnnxFile({{OnnxPort("a", {"3", "3"})},
                                     {{"DynamicMatMul", {"a", "a"}, "y", "intmill"}},
                                     {OnnxPort("y", {"3", "3"})}});
  const Options onnx = MakeOptions("{\"format\": \"onnx\"}");
  Model m;
  MUST(Load(file, nullptr, &m));
  Tensor t;
  REFUSED(intmill_model_save_memory(m, onnx, &t), kUnsupported, "node 'y_node' (DynamicMatMul)");
}

Test(save, a_place_that_cannot_be_written_is_an_io_error) {
  const Model m = LoadSample();
  REFUSED(intmill_model_save(m, "/no/such/m.im", nullptr), INTMILL_ERROR_IO, "/no/such/m.im");
}

Test(save, null_arguments_are_refused) {
  const Model m = LoadSample();
  Tensor t;
  REFUSED(intmill_model_save(nullptr, "x", nullptr), kInvalid, "m is NULL");
  REFUSED(intmill_model_save(m, nullptr, nullptr), kInvalid, "path is NULL");
  REFUSED(intmill_model_save_memory(nullptr, nullptr, &t), kInvalid, "m is NULL");
  REFUSED(intmill_model_save_memory(m, nullptr, nullptr), kInvalid, "out is NULL");
}

Test(model_report, layers_have_a_row_each) {
  const Model m = LoadSample();
  Report r;
  MUST(intmill_model_report(m, INTMILL_REPORT_LAYERS, &r));
  cr_expect_eq(intmill_report_rows(r), 10);
  cr_expect_eq(Text(r, 0, "op"), "Conv");
  cr_expect_eq(Text(r, 0, "shape"), "?x16x26x26");
  cr_expect_eq(Number(r, 0, "parameters"), 16 * 9 + 16);
  cr_expect_eq(Number(r, 0, "bytes"), (16 * 9 + 16) * 4);
  cr_expect_eq(Text(r, 0, "scheme"), "float");
  cr_expect_eq(Text(r, 1, "scheme"), "");
}

Test(model_report, a_kind_of_other_objects_is_refused) {
  const Model m = LoadSample();
  Report r;
  REFUSED(intmill_model_report(m, INTMILL_REPORT_PROFILE, &r), kInvalid, "report kind 10");
  REFUSED(intmill_model_report(nullptr, INTMILL_REPORT_LAYERS, &r), kInvalid, "m is NULL");
  REFUSED(intmill_model_report(m, INTMILL_REPORT_LAYERS, nullptr), kInvalid, "out is NULL");
}

Test(annotate, adds_replaces_and_removes_without_touching_the_model) {
  const Model m = LoadSample();
  Model one;
  Model two;
  Model three;
  MUST(intmill_model_annotate(m, "note", "first", &one));
  MUST(intmill_model_annotate(one, "note", "second", &two));
  MUST(intmill_model_annotate(two, "note", "", &three));
  cr_expect_eq(Metadata(m, "note"), "absent");
  cr_expect_eq(Metadata(one, "note"), "first");
  cr_expect_eq(Metadata(two, "note"), "second");
  cr_expect_eq(Metadata(three, "note"), "absent");
}

Test(annotate, what_was_noted_is_saved) {
  const Model m = LoadSample();
  Model noted;
  Tensor file;
  MUST(intmill_model_annotate(m, "data.0", "caf\u00e9", &noted));
  MUST(intmill_model_save_memory(noted, nullptr, &file));
  const std::string bytes = Bytes(file);  // which the model reads in place
  Model again;
  MUST(Load(bytes, nullptr, &again));
  cr_expect_eq(Metadata(again, "data.0"), "caf\u00e9");
}

Test(annotate, keys_and_values_have_rules) {
  const Model m = LoadSample();
  Model out;
  const std::string longest(128, 'k');
  MUST(intmill_model_annotate(m, longest.c_str(), std::string(65536, 'v').c_str(), &out));
  Model refused;
  REFUSED(intmill_model_annotate(m, (longest + "k").c_str(), "v", &refused), kInvalid, "128");
  REFUSED(intmill_model_annotate(m, "", "v", &refused), kInvalid, "metadata key ''");
  REFUSED(intmill_model_annotate(m, "Key", "v", &refused), kInvalid, "a-z");
  REFUSED(intmill_model_annotate(m, "intmill.scheme", "v", &refused), kInvalid, "own");
  REFUSED(intmill_model_annotate(m, "k", std::string(65537, 'v').c_str(), &refused), kInvalid,
          "65536");
  REFUSED(intmill_model_annotate(m, "k", "\xff", &refused), kInvalid, "UTF-8");
  REFUSED(intmill_model_annotate(nullptr, "k", "v", &refused), kInvalid, "m is NULL");
  REFUSED(intmill_model_annotate(m, nullptr, "v", &refused), kInvalid, "key is NULL");
  REFUSED(intmill_model_annotate(m, "k", nullptr, &refused), kInvalid, "value is NULL");
  REFUSED(intmill_model_annotate(m, "k", "v", nullptr), kInvalid, "out is NULL");
}
