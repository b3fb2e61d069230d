/* intmill.h: quantize, check and run neural networks on CPUs. The C ABI; C99 and C++11.
 *
 * True of every function below, so not repeated there:
 *  - Objects are opaque. A function with `out` hands over one reference; *_release gives it back,
 *    takes NULL, and may be called in any order, because each object keeps alive what it needs.
 *  - What can fail returns intmill_status. On failure *out is NULL and intmill_last_error() says
 *    why, on the calling thread, in one line. Nothing throws, prints, exits or aborts.
 *  - A call that fails takes nothing over: free_fn is not called, a DLPack tensor stays yours.
 *  - INTMILL_ERROR_INVALID_ARGUMENT: a pointer that must not be NULL is NULL, an enum value is not
 *    listed here, a count is negative. INTMILL_ERROR_OUT_OF_MEMORY and INTMILL_ERROR_INTERNAL can
 *    come from any function that returns a status. The other errors are listed where they occur.
 *  - Getters cannot fail. Given NULL, or an index out of range, they answer 0, NULL or NaN
 *    (report strings: "").
 *  - Strings are UTF-8 and end with a zero byte. A returned string or array belongs to the object
 *    it was asked of, and lives as long as that object is neither released nor changed.
 *  - Arguments are read during the call only. `const intmill_options *opts` may be NULL everywhere:
 *    all defaults. An operation copies what it needs from opts, the hooks included.
 *  - Counts, sizes and indices are int64_t, booleans int32_t, enums 32 bits. No struct by value.
 *  - Models, sessions, reports and qparams never change: any thread may use them at any time.
 *    Every other object serves one thread at a time, unless its functions say more. A tensor that
 *    nobody writes may be read by many threads.
 *  - A struct begins with struct_size; its *_INIT macro sets that. Fields are only ever appended.
 *  - @since is the first release that has the thing. Numbers are never given a second meaning;
 *    those left out of an enum are kept free for features that are not built yet. */
#ifndef INTMILL_INTMILL_H
#define INTMILL_INTMILL_H

#include <stdint.h>

/** Version of this header: major * 10000 + minor * 100 + patch. The build reads it from here.
 * @since 0.1 */
#define INTMILL_VERSION 100

/* The build overrides this where exporting differs from importing. */
#ifndef INTMILL_API
#define INTMILL_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Settings and hooks for any operation. @since 0.1 */
typedef struct intmill_options intmill_options;
/** Typed n-dimensional memory, row-major and dense, owned or borrowed. @since 0.1 */
typedef struct intmill_tensor intmill_tensor;
/** Scales and zero points of a quantized tensor. @since 0.1 */
typedef struct intmill_qparams intmill_qparams;
/** A graph with weights, in float or quantized. @since 0.1 */
typedef struct intmill_model intmill_model;
/** Watches models run on your data. @since 0.1 */
typedef struct intmill_probe intmill_probe;
/** A model compiled for this machine. @since 0.1 */
typedef struct intmill_session intmill_session;
/** One thread's run state: its buffers and its working memory. @since 0.1 */
typedef struct intmill_binding intmill_binding;
/** A read-only table. @since 0.1 */
typedef struct intmill_report intmill_report;

/** What a call answers. @since 0.1 */
typedef enum intmill_status {
  /** Done. */
  INTMILL_OK = 0,
  /** The caller broke a rule stated in this header. */
  INTMILL_ERROR_INVALID_ARGUMENT = 1,
  /** Memory ran out, or the work needs more than INTMILL_OPT_MEMORY_LIMIT. */
  INTMILL_ERROR_OUT_OF_MEMORY = 2,
  /** A file could not be opened, read, mapped or written. */
  INTMILL_ERROR_IO = 3,
  /** The bytes are not a valid model, or not valid JSON. */
  INTMILL_ERROR_BAD_FORMAT = 4,
  /** Made by a newer intmill, a newer ONNX or a newer DLPack than this library knows; or compiled
   * for another machine, build or number of threads. */
  INTMILL_ERROR_BAD_VERSION = 5,
  /** Valid, but not implemented: the message names it. */
  INTMILL_ERROR_UNSUPPORTED = 6,
  /** Shapes or types do not fit together. */
  INTMILL_ERROR_SHAPE = 7,
  /** Called too early or too late. */
  INTMILL_ERROR_STATE = 8,
  /** A progress hook asked to stop. */
  INTMILL_ERROR_CANCELLED = 9,
  /** A bug in intmill: please report it. */
  INTMILL_ERROR_INTERNAL = 99,
  /** Not a status: makes the type 32 bits wide. */
  INTMILL_STATUS_FORCE32 = 0x7fffffff
} intmill_status;

/** Type of one tensor element. @since 0.1 */
typedef enum intmill_dtype {
  /** IEEE 754 binary32. */
  INTMILL_F32 = 1,
  /** IEEE 754 binary16. */
  INTMILL_F16 = 2,
  /** The upper half of a binary32. */
  INTMILL_BF16 = 3,
  /** Signed, 8 bits. */
  INTMILL_S8 = 4,
  /** Unsigned, 8 bits. */
  INTMILL_U8 = 5,
  /** Signed, 32 bits. */
  INTMILL_S32 = 6,
  /** Signed, 64 bits. */
  INTMILL_S64 = 7,
  /** Signed, 4 bits, packed two to a byte. Weights inside models only, see
   * INTMILL_OPT_WEIGHT_DTYPE; no tensor has it. @since 0.1 */
  INTMILL_S4 = 8,
  /** Unsigned, 4 bits, likewise. @since 0.1 */
  INTMILL_U4 = 9,
  /** One byte, 0 or 1. */
  INTMILL_BOOL = 10,
  /** Signed, 16 bits. @since 0.1 */
  INTMILL_S16 = 11,
  /** Not a type: makes the type 32 bits wide. */
  INTMILL_DTYPE_FORCE32 = 0x7fffffff
} intmill_dtype;

/** Instruction sets. Only partly ordered: AVX2_VNNI is not below AVX512. @since 0.1 */
typedef enum intmill_isa {
  /** What every x86-64 processor has: SSE2, and SSE4.1 where present. */
  INTMILL_ISA_BASELINE = 0,
  /** AVX2 with FMA. */
  INTMILL_ISA_AVX2 = 10,
  /** AVX2 with the 8-bit dot product. */
  INTMILL_ISA_AVX2_VNNI = 11,
  /** AVX-512 F, BW, VL and DQ. */
  INTMILL_ISA_AVX512 = 20,
  /** AVX-512 with the 8-bit dot product. */
  INTMILL_ISA_AVX512_VNNI = 21,
  /** AVX-512 with VNNI and the bfloat16 dot product. */
  INTMILL_ISA_AVX512_BF16 = 22,
  /** AVX-512 with the 8-bit and bfloat16 matrix tiles. */
  INTMILL_ISA_AMX = 30,
  /** No limit: all that the processor has. */
  INTMILL_ISA_ALL = 1000,
  /** Not an instruction set: makes the type 32 bits wide. */
  INTMILL_ISA_FORCE32 = 0x7fffffff
} intmill_isa;

/* ---- Library --------------------------------------------------------------------------------- */

/** INTMILL_VERSION of the loaded library, which may be newer than this header. @since 0.1 */
INTMILL_API int32_t intmill_version(void);

/** One line for a bug report: version, compiler, and the oneDNN it was built with and runs with.
 * The string lives as long as the library. @since 0.1 */
INTMILL_API const char* intmill_build_info(void);

/** Why the last failing call on this thread failed: one line without a period.
 * Never NULL; "" when nothing failed yet. A call that succeeds leaves it alone; the next call that
 * fails on this thread invalidates the pointer. @since 0.1 */
INTMILL_API const char* intmill_last_error(void);

/** The name of a status, such as "INTMILL_ERROR_IO"; "INTMILL_STATUS_UNKNOWN" for another number.
 * The string lives as long as the library. @since 0.1 */
INTMILL_API const char* intmill_status_name(intmill_status status);

/** The best instruction set of this processor that the kernels know, whatever the limit.
 * @since 0.1 */
INTMILL_API intmill_isa intmill_isa_detected(void);

/** Limits the instruction sets used by this process, in all threads.
 * @param highest INTMILL_ISA_ALL lifts the limit. One the processor lacks is no limit either.
 * Errors: STATE once a kernel has been built in this process, or intmill_doctor was called.
 * @since 0.1 */
INTMILL_API intmill_status intmill_isa_limit(intmill_isa highest);

/** What decides whether models run fast here: one row a fact.
 * Columns: key, value, note. A note that is not "" says what is wrong and what to do. Keys:
 * version, cpu, isa_detected, isa_effective, onednn_version, onednn_threading, cpus (of the
 * machine), threads (the CPUs this process may use: what INTMILL_OPT_THREADS 0 stands for),
 * write_execute ("allowed", "denied": kernels cannot be generated at run time), caches
 * ("described", "hidden": a hypervisor keeps their sizes to itself). More keys may
 * follow. isa_effective is what oneDNN will use under the limit in force and the environment.
 * Errors: none of its own. Any thread. @since 0.1 */
INTMILL_API intmill_status intmill_doctor(intmill_report** out);

/* ---- Options: one bag for every operation ---------------------------------------------------- */

/** Keys of the options. An operation reads the keys it knows and leaves the others, so one bag can
 * serve a whole program. After each key: [i]nteger, [f]loat or [s]tring; L when it may be set for
 * single layers; its values; its default. The name in JSON is the key in lower case without
 * INTMILL_OPT_. @since 0.1 */
typedef enum intmill_opt {
  /** s. Of a model file: "auto" (by its first bytes; when saving, "intmill"), "onnx", "intmill".
   * Default "auto". Used by loading and saving. */
  INTMILL_OPT_FORMAT = 100,
  /** s. Comma-separated names of graph passes not to run, "all" for all that may be left out.
   * Default "". Used by loading and by everything that runs a model. */
  INTMILL_OPT_DISABLE_PASSES = 101,
  /** s. Fixes named dimensions of the inputs: "batch=8,seq=128". Default "". Used by loading. */
  INTMILL_OPT_DYNAMIC_DIMS = 102,
  /** i L. intmill_scheme. Default INTMILL_SCHEME_STATIC. Used by quantizing. */
  INTMILL_OPT_SCHEME = 200,
  /** i L. intmill_dtype of quantized weights: INTMILL_S8 or INTMILL_U8, and for
   * INTMILL_SCHEME_WEIGHT_ONLY also INTMILL_S4 or INTMILL_U4. Default INTMILL_S8. */
  INTMILL_OPT_WEIGHT_DTYPE = 201,
  /** i L. intmill_dtype of quantized activations: INTMILL_U8, INTMILL_S8 or INTMILL_S16. Default
   * INTMILL_U8. INTMILL_S16 is for the inputs of products with constant 8-bit weights (Conv, Gemm,
   * MatMul) under INTMILL_SCHEME_STATIC, the range being all that was seen; it takes two
   * to three times as long as 8 bits. What is not such a product and has this type stays F32. */
  INTMILL_OPT_ACTIVATION_DTYPE = 202,
  /** i L. 1: weights have zero point 0 (128 for U8). 0: any zero point. Default 1. */
  INTMILL_OPT_WEIGHT_SYMMETRIC = 203,
  /** i L. 1: activations have zero point 0 (128 for U8). 0: any zero point; of S16 it is 0 all the
   * same. Default 0. */
  INTMILL_OPT_ACT_SYMMETRIC = 204,
  /** i L. 1: one weight scale for each output channel. 0: one for the whole weight. Default 1. */
  INTMILL_OPT_PER_CHANNEL = 205,
  /** i L. intmill_calibration: how a range is chosen from what was seen.
   * Default INTMILL_CALIBRATION_PERCENTILE. Used by quantizing and intmill_qparams_choose. */
  INTMILL_OPT_CALIBRATION = 207,
  /** f L. Share of values to keep, in percent, above 50 and up to 100, for
   * INTMILL_CALIBRATION_PERCENTILE. Default 99.999. */
  INTMILL_OPT_PERCENTILE = 208,
  /** i L. 1 leaves the layer in float. Default 0. Used by quantizing. */
  INTMILL_OPT_SKIP = 209,
  /** i L. intmill_target: the processors that every sum must be exact on, whatever runs the model.
   * intmill's own kernels are exact on all of them; it matters where a model is exported. Default
   * INTMILL_TARGET_VNNI. Used by quantizing. */
  INTMILL_OPT_TARGET = 210,
  /** i L. intmill_weight_range: where the scales of weights come from. Default
   * INTMILL_WEIGHT_RANGE_MAX. Used by quantizing. */
  INTMILL_OPT_WEIGHT_RANGE = 220,
  /** i L. intmill_bias_correction: by which means of its inputs a layer's bias takes back what
   * rounded weights shift. Default INTMILL_BIAS_CORRECTION_DATA. Used by quantizing. */
  INTMILL_OPT_BIAS_CORRECTION = 221,
  /** i. 1: channels behind a Clip from 0 (ReLU6) are scaled as well, and the Clip gets a bound for
   * each channel, which costs time. 0: they stay. Default 1. Used by intmill_equalize. */
  INTMILL_OPT_EQUALIZE_CLIPS = 222,
  /** f. How much of the activations' range smoothing moves to weights, above 0 and up to 1. Default
   * 0: the best is searched for each group of activations. Used by intmill_smooth. */
  INTMILL_OPT_SMOOTH_ALPHA = 223,
  /** i L. For INTMILL_SCHEME_WEIGHT_ONLY: how many weights that one output sums up share a scale, a
   * multiple of 8; the last group may be smaller. 0: all of an output channel. Default 32. Used by
   * quantizing. @since 0.1 */
  INTMILL_OPT_GROUP_SIZE = 230,
  /** i L. For INTMILL_SCHEME_WEIGHT_ONLY: 1 rounds the weights of products by GPTQ (Frantar et al.
   * 2022), which needs a calibration that was made and fed with this option. 0: each to the
   * nearest. Default 0. Used by calibrating and quantizing. @since 0.1 */
  INTMILL_OPT_GPTQ = 231,
  /** f L. For INTMILL_OPT_GPTQ: what is added to the square of each input, as a share of their
   * mean, above 0 and up to 1. Default 0.01. Used by quantizing. @since 0.1 */
  INTMILL_OPT_GPTQ_DAMPING = 232,
  /** i L. For INTMILL_OPT_GPTQ: 1 rounds the weights of the largest inputs first. Default 0. Used
   * by quantizing. @since 0.1 */
  INTMILL_OPT_GPTQ_ORDER = 233,
  /** i. Threads of one run, 1 to 1024. 0: the CPUs this process may use. Default 0. Used by
   * everything that runs a model. */
  INTMILL_OPT_THREADS = 400,
  /** i. Bytes an operation may hold at once, mapped files not counted. 0: no limit. Default 0. Used
   * by loading, for what it computes beforehand, and by everything that runs a model. */
  INTMILL_OPT_MEMORY_LIMIT = 401,
  /** i. 1 measures each layer, for INTMILL_REPORT_PROFILE. Default 0. Used by sessions. */
  INTMILL_OPT_PROFILE = 402,
  /** i. 1: a sensitivity probe leaves one layer in float and computes the others in integers. 0:
   * the other way round. Default 0. Used by intmill_probe_sensitivity. */
  INTMILL_OPT_REVERSE = 403,
  /** i. For a model of an .ims file that was compiled for another processor, build of the
   * libraries, number of threads or set of passes: 1 compiles the model anew, 0 refuses it. Default
   * 0. Used by intmill_session_create. @since 0.1 */
  INTMILL_OPT_REBUILD_STALE = 404,
  /** Not a key: makes the type 32 bits wide. */
  INTMILL_OPT_FORCE32 = 0x7fffffff
} intmill_opt;

/** How a layer is quantized. @since 0.1 */
typedef enum intmill_scheme {
  /** "static": 8-bit weights and activations, with ranges from a calibration. */
  INTMILL_SCHEME_STATIC = 1,
  /** "dynamic": 8-bit weights; activations take their range from each input while running. */
  INTMILL_SCHEME_DYNAMIC = 2,
  /** "weight_only": weights of MatMul and Gemm and tables of Gather in 8 or 4 bits
   * (INTMILL_OPT_WEIGHT_DTYPE) with a scale for each group of INTMILL_OPT_GROUP_SIZE; activations
   * stay F32. Needs no calibration, except for INTMILL_OPT_GPTQ. */
  INTMILL_SCHEME_WEIGHT_ONLY = 3,
  /** "fp16": weights are stored in IEEE half precision and widened when a session is made, which
   * computes in F32. Needs no calibration. */
  INTMILL_SCHEME_FP16 = 4,
  /** "bf16": the same with bfloat16. */
  INTMILL_SCHEME_BF16 = 5,
  /** "bf16_compute": weights as by "bf16", and what MatMul, Gemm and convolutions multiply them by,
   * or by each other, is rounded to bfloat16 too; sums, biases and all else stay F32. Runs on
   * bfloat16 instructions where the processor has them (INTMILL_ISA_AVX512_BF16,
   * INTMILL_ISA_AMX), elsewhere on F32 with the same rounding. Needs no calibration. @since 0.1 */
  INTMILL_SCHEME_BF16_COMPUTE = 6,
  /** Not a scheme: makes the type 32 bits wide. */
  INTMILL_SCHEME_FORCE32 = 0x7fffffff
} intmill_scheme;

/** How the range of an activation is chosen from what a calibration saw. @since 0.1 */
typedef enum intmill_calibration {
  /** "minmax": the smallest and the largest value. */
  INTMILL_CALIBRATION_MINMAX = 1,
  /** "average": the mean of the samples' smallest and largest values. */
  INTMILL_CALIBRATION_AVERAGE = 2,
  /** "percentile": clips the INTMILL_OPT_PERCENTILE tails. */
  INTMILL_CALIBRATION_PERCENTILE = 3,
  /** "entropy": the range whose quantized histogram diverges least (Kullback-Leibler). */
  INTMILL_CALIBRATION_ENTROPY = 4,
  /** "mse": the range with the least mean squared error. */
  INTMILL_CALIBRATION_MSE = 5,
  /** Not a method: makes the type 32 bits wide. */
  INTMILL_CALIBRATION_FORCE32 = 0x7fffffff
} intmill_calibration;

/** Processors on which the sums of a quantized model must be exact. @since 0.1 */
typedef enum intmill_target {
  /** "vnni": those that add four 8-bit products at once. */
  INTMILL_TARGET_VNNI = 1,
  /** "any": also those that add two and saturate the sum at 16 bits. Output channels in which that
   * could happen get 7-bit weights. */
  INTMILL_TARGET_ANY = 2,
  /** Not a target: makes the type 32 bits wide. */
  INTMILL_TARGET_FORCE32 = 0x7fffffff
} intmill_target;

/** Where the scale of quantized weights comes from. @since 0.1 */
typedef enum intmill_weight_range {
  /** "max": the largest weight, of the output channel or of all. */
  INTMILL_WEIGHT_RANGE_MAX = 1,
  /** "mse": the least mean squared error; the largest weights may be clipped. */
  INTMILL_WEIGHT_RANGE_MSE = 2,
  /** Not a range: makes the type 32 bits wide. */
  INTMILL_WEIGHT_RANGE_FORCE32 = 0x7fffffff
} intmill_weight_range;

/** Where the means of a layer's inputs come from, by which its bias is corrected. @since 0.1 */
typedef enum intmill_bias_correction {
  /** "none": biases are rounded and nothing else. */
  INTMILL_BIAS_CORRECTION_NONE = 1,
  /** "data": what the calibration saw. */
  INTMILL_BIAS_CORRECTION_DATA = 2,
  /** "batch_norm": computed from the batch normalizations that the model had before it was loaded,
   * and no data; layers for which they say nothing are not corrected. */
  INTMILL_BIAS_CORRECTION_BATCH_NORM = 3,
  /** Not a source: makes the type 32 bits wide. */
  INTMILL_BIAS_CORRECTION_FORCE32 = 0x7fffffff
} intmill_bias_correction;

/** Where a long operation stands. @since 0.1 */
typedef struct intmill_progress {
  /** Set by the library; fields beyond it do not exist. */
  uint32_t struct_size;
  /** 0. */
  uint32_t reserved;
  /** What is being done: "import", "calibrate", "layer conv1", ... Valid during the hook only. */
  const char* stage;
  /** Steps done in this stage. */
  int64_t done;
  /** Steps of this stage; 0 when unknown. */
  int64_t total;
} intmill_progress;

/** Takes one line of log. Called on any thread, never on two at once for one operation.
 * @param user what was given with the hook.
 * @param level 0 error, 1 warning, 2 information, 3 debug, 4 trace.
 * @param message one line, valid during the call. @since 0.1 */
typedef void (*intmill_log_fn)(void* user, int32_t level, const char* message);

/** Hears of progress, on the thread that called the operation.
 * @return 0 to go on; anything else makes the operation answer INTMILL_ERROR_CANCELLED soon, with
 * nothing written. @since 0.1 */
typedef int32_t (*intmill_progress_fn)(void* user, const intmill_progress* now);

/** Gives borrowed memory back. Called once, on any thread. @since 0.1 */
typedef void (*intmill_free_fn)(void* user, void* data);

/** Makes an empty bag: every key has its default. @since 0.1 */
INTMILL_API intmill_status intmill_options_create(intmill_options** out);

/** Gives the bag back. @since 0.1 */
INTMILL_API void intmill_options_release(intmill_options* opts);

/** Sets an integer key (also a float key).
 * @param layer a layer's name, or a glob ("block3.*"; `*` any text, `?` one character) over layer
 * names; NULL means the whole model. Where several match, the one set last counts, and any layer
 * setting counts more than the model's.
 * Errors: INVALID_ARGUMENT when the key is unknown, has another type, has no L and layer is not
 * NULL, or the value is out of range. @since 0.1 */
INTMILL_API intmill_status intmill_options_set_i64(intmill_options* opts, const char* layer,
                                                   intmill_opt key, int64_t value);

/** Sets a float key; see intmill_options_set_i64. @since 0.1 */
INTMILL_API intmill_status intmill_options_set_f64(intmill_options* opts, const char* layer,
                                                   intmill_opt key, double value);

/** Sets a string key, or an integer key by the name of its value ("entropy", "s8"); see
 * intmill_options_set_i64. @since 0.1 */
INTMILL_API intmill_status intmill_options_set_str(intmill_options* opts, const char* layer,
                                                   intmill_opt key, const char* value);

/** Makes a bag from JSON: an object of names and values; "layers" holds one such object for each
 * layer name or glob, and the later one counts more:
 * {"calibration": "entropy", "threads": 2, "layers": {"block3.*": {"skip": 1}}}
 * Errors: BAD_FORMAT (not JSON: the message gives line and column), INVALID_ARGUMENT (an unknown
 * name, or a value that intmill_options_set_* would refuse: the message names it). @since 0.1 */
INTMILL_API intmill_status intmill_options_from_json(const char* text, intmill_options** out);

/** What was set, as JSON that intmill_options_from_json reads back; "{}" for an empty bag. Hooks
 * are not part of it. Valid until the bag is changed or released. @since 0.1 */
INTMILL_API const char* intmill_options_json(const intmill_options* opts);

/** Sends the log of operations that use this bag to fn; NULL stops it. @since 0.1 */
INTMILL_API intmill_status intmill_options_on_log(intmill_options* opts, intmill_log_fn fn,
                                                  void* user);

/** Reports the progress of operations that use this bag to fn; NULL stops it. @since 0.1 */
INTMILL_API intmill_status intmill_options_on_progress(intmill_options* opts,
                                                       intmill_progress_fn fn, void* user);

/** Every key there is. Columns: key, name, type, per_layer (0 or 1), values, default, help.
 * Any thread. @since 0.1 */
INTMILL_API intmill_status intmill_options_known(intmill_report** out);

/* ---- Tensors --------------------------------------------------------------------------------- */

struct DLManagedTensor;          /* from dlpack.h */
struct DLManagedTensorVersioned; /* from dlpack.h 1.0 and later */

/** Makes a tensor of zeros, aligned to 64 bytes.
 * @param rank 0 to 12; 0 is one value.
 * @param dims rank sizes, each at least 0; NULL when rank is 0.
 * Errors: INVALID_ARGUMENT (rank or a size out of range, or more than 2^46 bytes). @since 0.1 */
INTMILL_API intmill_status intmill_tensor_create(intmill_dtype dtype, int64_t rank,
                                                 const int64_t* dims, intmill_tensor** out);

/** Makes a tensor of your memory, without a copy. The memory stays yours to write.
 * @param data row-major and dense, aligned to its element; may be NULL only when empty.
 * @param bytes the size of data; must be exactly what dtype and dims need.
 * @param free_fn called when the last reference goes; NULL: nothing is called, and data must
 * outlive the tensor and whatever holds it.
 * Errors: INVALID_ARGUMENT (as intmill_tensor_create, wrong bytes, misaligned). @since 0.1 */
INTMILL_API intmill_status intmill_tensor_wrap(intmill_dtype dtype, int64_t rank,
                                               const int64_t* dims, void* data, int64_t bytes,
                                               intmill_free_fn free_fn, void* user,
                                               intmill_tensor** out);

/** Takes over a DLPack tensor without a copy; its deleter is called when the last reference goes.
 * Errors: UNSUPPORTED (not CPU memory, strides that are not row-major and dense, a type without an
 * intmill_dtype), INVALID_ARGUMENT (inconsistent, misaligned). @since 0.1 */
INTMILL_API intmill_status intmill_tensor_from_dlpack(struct DLManagedTensor* dl,
                                                      intmill_tensor** out);

/** As intmill_tensor_from_dlpack. A tensor flagged read-only is copied, since an intmill_tensor may
 * be written. Errors: also BAD_VERSION (a major version above 1). @since 0.1 */
INTMILL_API intmill_status intmill_tensor_from_dlpack_versioned(struct DLManagedTensorVersioned* dl,
                                                                intmill_tensor** out);

/** Shows the tensor as DLPack, sharing its memory. Call the result's deleter when done; it keeps
 * the memory alive until then, whatever happens to t. Scales and zero points do not go along.
 * @since 0.1 */
INTMILL_API intmill_status intmill_tensor_to_dlpack(intmill_tensor* t,
                                                    struct DLManagedTensor** out);

/** As intmill_tensor_to_dlpack, as DLPack 1.0. @since 0.1 */
INTMILL_API intmill_status
intmill_tensor_to_dlpack_versioned(intmill_tensor* t, struct DLManagedTensorVersioned** out);

/** Gives the tensor back. Whatever is bound to it keeps it alive. @since 0.1 */
INTMILL_API void intmill_tensor_release(intmill_tensor* t);

/** Element type; 0 for NULL. @since 0.1 */
INTMILL_API intmill_dtype intmill_tensor_dtype(const intmill_tensor* t);

/** Number of dimensions, 0 to 12. @since 0.1 */
INTMILL_API int64_t intmill_tensor_rank(const intmill_tensor* t);

/** The rank sizes; they live as long as the tensor. @since 0.1 */
INTMILL_API const int64_t* intmill_tensor_dims(const intmill_tensor* t);

/** Size of the elements in bytes, scales and zero points not counted. @since 0.1 */
INTMILL_API int64_t intmill_tensor_bytes(const intmill_tensor* t);

/** The elements, row-major and dense; they live as long as the tensor. @since 0.1 */
INTMILL_API void* intmill_tensor_data(intmill_tensor* t);

/** Scales and zero points; they live as long as the tensor. NULL: not a quantized tensor.
 * @since 0.1 */
INTMILL_API const intmill_qparams* intmill_tensor_qparams(const intmill_tensor* t);

/* ---- Quantizing one tensor ------------------------------------------------------------------- */

/* Quantizing: q = saturate(round(x / scale) + zero_point), rounding half to even; NaN becomes the
 * zero point. Dequantizing: x = (q - zero_point) * scale. */

/** How far b is from a. @since 0.1 */
typedef struct intmill_difference {
  /** sizeof(intmill_difference), set by INTMILL_DIFFERENCE_INIT. */
  uint32_t struct_size;
  /** 0. */
  uint32_t reserved;
  /** Largest |a - b|. */
  double max_abs;
  /** Mean |a - b|. */
  double mean_abs;
  /** Mean (a - b)^2. */
  double mse;
  /** Signal to noise, 10 log10(sum a^2 / sum (a - b)^2), in decibels; infinite when equal. */
  double sqnr_db;
  /** Cosine of the angle between a and b; 1 when both are zero, 0 when one is. */
  double cosine;
  /** Bytes of a, its scales and zero points included. */
  int64_t bytes_a;
  /** Bytes of b, its scales and zero points included. */
  int64_t bytes_b;
} intmill_difference;

/** Initial value of an intmill_difference. @since 0.1 */
#define INTMILL_DIFFERENCE_INIT \
  { sizeof(intmill_difference), 0, 0, 0, 0, 0, 0, 0, 0 }

/** Makes quantization parameters from numbers.
 * @param dtype INTMILL_S8, INTMILL_U8 or INTMILL_S16.
 * @param axis -1: one scale for the whole tensor. Otherwise one for each index of that axis.
 * @param n number of scales: 1 when axis is -1.
 * @param scales n positive, finite numbers.
 * @param zero_points n numbers within dtype's range; NULL means all 0.
 * Errors: INVALID_ARGUMENT. @since 0.1 */
INTMILL_API intmill_status intmill_qparams_create(intmill_dtype dtype, int32_t axis, int64_t n,
                                                  const float* scales, const int32_t* zero_points,
                                                  intmill_qparams** out);

/** Chooses quantization parameters for an F32 tensor.
 * @param axis -1 chooses one scale, as for an activation: INTMILL_OPT_ACTIVATION_DTYPE,
 * INTMILL_OPT_ACT_SYMMETRIC, INTMILL_OPT_CALIBRATION and INTMILL_OPT_PERCENTILE count. Otherwise
 * chooses one for each index of that axis, as for a weight: INTMILL_OPT_WEIGHT_DTYPE and
 * INTMILL_OPT_WEIGHT_SYMMETRIC count, and the range is from the smallest to the largest value.
 * Values that are not finite are left out. A range always holds 0.
 * Errors: SHAPE (x is not F32), INVALID_ARGUMENT (axis is not one of x). @since 0.1 */
INTMILL_API intmill_status intmill_qparams_choose(const intmill_tensor* x, int32_t axis,
                                                  const intmill_options* opts,
                                                  intmill_qparams** out);

/** Gives the parameters back. @since 0.1 */
INTMILL_API void intmill_qparams_release(intmill_qparams* q);

/** Element type they quantize to; 0 for NULL. @since 0.1 */
INTMILL_API intmill_dtype intmill_qparams_dtype(const intmill_qparams* q);

/** The axis with one scale for each index; -1: one scale for all. @since 0.1 */
INTMILL_API int32_t intmill_qparams_axis(const intmill_qparams* q);

/** Number of scales and of zero points. @since 0.1 */
INTMILL_API int64_t intmill_qparams_count(const intmill_qparams* q);

/** The scales; they live as long as q. @since 0.1 */
INTMILL_API const float* intmill_qparams_scales(const intmill_qparams* q);

/** The zero points; they live as long as q. @since 0.1 */
INTMILL_API const int32_t* intmill_qparams_zero_points(const intmill_qparams* q);

/** Quantizes an F32 tensor. The result has x's shape, q's type, and carries q.
 * Errors: SHAPE (x is not F32; q's axis or count does not fit x). @since 0.1 */
INTMILL_API intmill_status intmill_tensor_quantize(const intmill_tensor* x,
                                                   const intmill_qparams* q, intmill_tensor** out);

/** Turns a tensor from intmill_tensor_quantize into F32 of the same shape.
 * Errors: INVALID_ARGUMENT (x carries no quantization parameters). @since 0.1 */
INTMILL_API intmill_status intmill_tensor_dequantize(const intmill_tensor* x, intmill_tensor** out);

/** Quantizes and dequantizes: F32 of x's shape, with the rounding and the clipping of q.
 * Errors: as intmill_tensor_quantize. @since 0.1 */
INTMILL_API intmill_status intmill_tensor_fake_quantize(const intmill_tensor* x,
                                                        const intmill_qparams* q,
                                                        intmill_tensor** out);

/** Measures how far b is from a. Quantized tensors are compared by the values they stand for.
 * @param difference begins as INTMILL_DIFFERENCE_INIT; on failure it is left alone.
 * Errors: SHAPE (different shapes), UNSUPPORTED (a type that has no values to compare).
 * @since 0.1 */
INTMILL_API intmill_status intmill_tensor_compare(const intmill_tensor* a, const intmill_tensor* b,
                                                  intmill_difference* difference);

/* ---- Models ---------------------------------------------------------------------------------- */

/** Which end of a model. @since 0.1 */
typedef enum intmill_side {
  /** What goes in. */
  INTMILL_INPUT = 0,
  /** What comes out. */
  INTMILL_OUTPUT = 1,
  /** Not a side: makes the type 32 bits wide. */
  INTMILL_SIDE_FORCE32 = 0x7fffffff
} intmill_side;

/** Which table to answer with; each kind belongs to one sort of object. Columns are found by name:
 * later releases may add some. @since 0.1 */
typedef enum intmill_report_kind {
  /** Of a model, one row a layer in running order: name, op, inputs and outputs (names, separated
   * by spaces), dtype and shape (of its first output, "1x16x?x?"), parameters (number of weights),
   * bytes (of its weights), scheme, note, saturating, saturating_pair. scheme: "static" or
   * "dynamic" for a layer that computes in integers, "float" for one that computes in floats and
   * could be quantized, "" for one without arithmetic worth quantizing. note: why it would not run
   * fast, or why it stayed in float; "" when all is well. saturating: the number of output channels
   * in which a sum of two products could leave 16 bits, as some runtimes add them on processors
   * without VNNI; 0 is a proof for every input; no number where u8 activations do not meet constant
   * s8 weights. saturating_pair: the two weights whose sum leaves 16 bits by most, "" where none
   * does. activations: the type of the integers that it reads ("u8", "s8", "s16"), "" where it
   * reads none. */
  INTMILL_REPORT_LAYERS = 1,
  /** Of a model: key, value. Keys of the library begin with "intmill.": intmill.digest
   * (32 digits over layers, weights and names, as certificates name models), intmill.producer,
   * intmill.source, intmill.equalized, intmill.smoothed, intmill.scheme, intmill.calibration,
   * intmill.samples, intmill.exact ("any", or "vnni" where sums may saturate without it),
   * intmill.saturating_channels, intmill.recipe (the options of intmill_quantize that were set, as
   * JSON) (those that apply);
   * keys of a foreign model file begin with "source."; the others come from intmill_model_annotate.
   */
  INTMILL_REPORT_METADATA = 2,
  /** Of a model with a certificate: fact, name (of an output or a layer, else ""), value. Facts:
   * reference, model, data and labels (digests; labels only where there were some), recipe (the
   * options it was quantized with, as JSON), version, onednn_version and isa (of the machine that
   * measured), samples, agreement, with labels reference_top1, reference_top5, candidate_top1 and
   * candidate_top5 (percent); for each output output_sqnr_db, output_cosine, output_max_abs and
   * output_mean_abs; for each layer that both models compute layer_sqnr_db and layer_cosine, of its
   * result with its activation. A model without a certificate has no rows. */
  INTMILL_REPORT_CERTIFICATE = 3,
  /** Of a session with INTMILL_OPT_PROFILE: layer, op, kernel, isa, calls, microseconds (of all
   * calls), note (why it does not run fast), multiply_adds (of one call of a product, 0 for other
   * operators), dtype (of what it computes with: "f32" for a layer that runs in floats). */
  INTMILL_REPORT_PROFILE = 10,
  /** Of a session: purpose, bytes, mapped (1 when it is part of a mapped file, else 0). */
  INTMILL_REPORT_MEMORY = 11,
  /** Of a verifying probe: key, value. samples, agreement (percent of rows where both models put
   * the same class first); with targets also reference_top1, reference_top5, candidate_top1,
   * candidate_top5 (percent). A row is what lies along the last dimension of the first output.
   * Of a sensitivity probe: samples, layers, steps (of the model's plan that were run again for its
   * layers), steps_whole (had the whole model been run for each layer), with targets
   * reference_top1, and with INTMILL_OPT_REVERSE sqnr_db and agreement (of the model with all
   * layers in integers).
   * Of a rounding probe: samples, layers (whose rounding is learned), rows (of inputs, of all
   * layers). */
  INTMILL_REPORT_SUMMARY = 20,
  /** Of a verifying probe, one row an output, over all samples: name, cosine, sqnr_db, max_abs,
   * mean_abs, as in intmill_difference, a being the reference. */
  INTMILL_REPORT_OUTPUTS = 21,
  /** Of a calibrating probe, one row an activation: tensor, min, max (as seen), scale, zero_point
   * (as chosen), samples, nonfinite (values that were left out). */
  INTMILL_REPORT_RANGES = 22,
  /** Of a sensitivity probe, one row a layer, the one that costs most first (with
   * INTMILL_OPT_REVERSE: the one whose float form wins most back): layer, op, sqnr_db, cosine (of
   * the worst of the model's outputs), agreement (percent), top1_change (points against the float
   * model; no number without targets), layer_sqnr_db, layer_cosine (of the layer's own result, its
   * activation included), min, max (of its input as fed), clipped (percent of its input beyond the
   * calibrated range), cause (why it loses precision, in words; "" when nothing stands out). */
  INTMILL_REPORT_SENSITIVITY = 23,
  /** Of a replaying probe: figure, name, recorded, found, holds (1, 0, or no number where it was
   * not measured). First "data", the digests of what was fed; where it does not hold the rest says
   * nothing. Then samples, labels, agreement, candidate_top1, candidate_top5, output_sqnr_db and
   * layer_sqnr_db, as far as the certificate has them. Signal-to-noise of the replay is estimated
   * from what the certificate keeps of the float model's values; it equals what was recorded when
   * the values are the same. It holds within 1 dB, and above 79 dB in any case, a percentage within
   * 1 point or one row, as processors round floats differently. */
  INTMILL_REPORT_REPLAY = 24,
  /** Of a calibrating probe, for each activation about 64 rows where there are values: tensor,
   * begin, end, count (of values from begin to end). begin and end are 0 for the row that counts
   * zeros. */
  INTMILL_REPORT_HISTOGRAMS = 25,
  /** Not a kind: makes the type 32 bits wide. */
  INTMILL_REPORT_FORCE32 = 0x7fffffff
} intmill_report_kind;

/** An input or output of a model. Its pointers live as long as the model. @since 0.1 */
typedef struct intmill_port {
  /** sizeof(intmill_port), set by INTMILL_PORT_INIT. */
  uint32_t struct_size;
  /** Element type that a tensor for this port must have. */
  intmill_dtype dtype;
  /** Name, never empty, unique on its side. */
  const char* name;
  /** Number of dimensions; -1: decided when the model runs. */
  int64_t rank;
  /** rank sizes, each -1 where it is decided when the model runs; NULL when rank is -1. */
  const int64_t* dims;
} intmill_port;

/** Initial value of an intmill_port. @since 0.1 */
#define INTMILL_PORT_INIT \
  { sizeof(intmill_port), INTMILL_F32, 0, 0, 0 }

/** Loads a model file: ONNX, .im, or .ims, the file of a compiled session (intmill_session_save),
 * which holds the model too. The latter two are mapped, not read: replace such a file by renaming,
 * never by writing into it, while a model of it is alive.
 * @param opts FORMAT, DISABLE_PASSES, DYNAMIC_DIMS, MEMORY_LIMIT, hooks.
 * Errors: IO, BAD_FORMAT, BAD_VERSION, UNSUPPORTED (the message names every operator that is
 * missing), SHAPE (shapes in the model contradict each other), INVALID_ARGUMENT (a dimension or
 * pass named in opts does not exist), CANCELLED. @since 0.1 */
INTMILL_API intmill_status intmill_model_load(const char* path, const intmill_options* opts,
                                              intmill_model** out);

/** Loads a model from memory, which it borrows.
 * @param data the bytes of a model file, aligned to 64 bytes if an .im is not to be copied.
 * @param free_fn called when nothing needs data any more; NULL: data must outlive the model and
 * every object made from it.
 * Errors: as intmill_model_load. UNSUPPORTED also when weights are in files beside the model.
 * @since 0.1 */
INTMILL_API intmill_status intmill_model_load_memory(const void* data, int64_t bytes,
                                                     intmill_free_fn free_fn, void* user,
                                                     const intmill_options* opts,
                                                     intmill_model** out);

/** Writes a model as an .im file or, where FORMAT is "onnx", as a standard ONNX file, in which
 * quantized layers keep their 8-bit weights behind DequantizeLinear. The file appears whole or not
 * at all: it is written beside path, flushed to the disk and renamed. The same model gives the same
 * bytes.
 * @param opts FORMAT, hooks.
 * Errors: IO, CANCELLED, UNSUPPORTED (as ONNX: an operator that ONNX does not have, which the
 * message names, or more than 2 GiB, as external data is not written). @since 0.1 */
INTMILL_API intmill_status intmill_model_save(const intmill_model* m, const char* path,
                                              const intmill_options* opts);

/** As intmill_model_save, into a new tensor of type U8 and rank 1. @since 0.1 */
INTMILL_API intmill_status intmill_model_save_memory(const intmill_model* m,
                                                     const intmill_options* opts,
                                                     intmill_tensor** out);

/** Gives the model back. @since 0.1 */
INTMILL_API void intmill_model_release(intmill_model* m);

/** Number of inputs or outputs. @since 0.1 */
INTMILL_API int64_t intmill_model_port_count(const intmill_model* m, intmill_side side);

/** Describes one input or output.
 * @param port begins as INTMILL_PORT_INIT; on failure it is left alone.
 * Errors: INVALID_ARGUMENT (index out of range). @since 0.1 */
INTMILL_API intmill_status intmill_model_port(const intmill_model* m, intmill_side side,
                                              int64_t index, intmill_port* port);

/** A table about the model: INTMILL_REPORT_LAYERS, INTMILL_REPORT_METADATA or
 * INTMILL_REPORT_CERTIFICATE. Errors: INVALID_ARGUMENT (a kind that is not a model's), BAD_FORMAT
 * (a damaged certificate), BAD_VERSION (one of a newer release). @since 0.1 */
INTMILL_API intmill_status intmill_model_report(const intmill_model* m, intmill_report_kind kind,
                                                intmill_report** out);

/** The same model with one more fact in its metadata; it shares everything else with m.
 * @param key 1 to 128 of a-z 0-9 . _ -, not beginning with "intmill."; replaces an equal key.
 * @param value up to 65536 bytes of UTF-8; "" removes the key.
 * Errors: INVALID_ARGUMENT. @since 0.1 */
INTMILL_API intmill_status intmill_model_annotate(const intmill_model* m, const char* key,
                                                  const char* value, intmill_model** out);

/* ---- Probes: make one, feed it batches, read its report -------------------------------------- */

/** Makes a probe that learns the ranges of a float model's activations. Its memory does not grow
 * with the number of batches, and their order does not matter. Every batch runs on one thread, so
 * that the number of threads cannot show in the result; to use more, feed from more threads.
 * @param opts MEMORY_LIMIT, DISABLE_PASSES, hooks; CALIBRATION and PERCENTILE for
 * INTMILL_REPORT_RANGES. Errors: UNSUPPORTED (an operator that cannot run), STATE (m is quantized
 * already). @since 0.1 */
INTMILL_API intmill_status intmill_probe_calibrate(const intmill_model* m,
                                                   const intmill_options* opts,
                                                   intmill_probe** out);

/** Makes a probe that ranks layers by what quantizing each alone costs. A batch runs the float
 * model once, and for each layer only what depends on its result. Its memory holds every value of
 * the model for one batch, and for each thread as much as a session does: feed small batches.
 * @param calibration a calibrating probe of m that was fed; NULL when no layer's scheme is
 * INTMILL_SCHEME_STATIC.
 * @param opts SCHEME to GPTQ_ORDER (200 to 233) for what to compare with, REVERSE, THREADS (which
 * measure layers at the same time and do not show in the figures), MEMORY_LIMIT, DISABLE_PASSES,
 * hooks. Errors: INVALID_ARGUMENT (calibration is missing, of another model or another kind), STATE
 * (calibration was not fed; m is quantized already; no layer can be quantized), UNSUPPORTED (an
 * operator that cannot run). @since 0.1 */
INTMILL_API intmill_status intmill_probe_sensitivity(const intmill_model* m,
                                                     const intmill_probe* calibration,
                                                     const intmill_options* opts,
                                                     intmill_probe** out);

/** Makes a probe that learns how to round the weights of m: whether up or down is decided by what
 * it does to a layer's results on the data it is fed, not weight by weight. Its memory depends on
 * the model alone, neither order nor portions of the data matter, and no labels are needed. Hand it
 * to intmill_quantize in place of the calibration, which it keeps a copy of.
 * @param calibration a calibrating probe of m that was fed, or one loaded from a file.
 * @param opts as for intmill_quantize; MEMORY_LIMIT, DISABLE_PASSES. Every batch runs on one
 * thread; to use more, feed from more threads. Errors: INVALID_ARGUMENT (calibration is missing, of
 * another model or another kind), STATE (calibration was not fed; m is quantized already; no layer
 * is a product with static ranges), UNSUPPORTED (an operator that cannot run). @since 0.1 */
INTMILL_API intmill_status intmill_probe_rounding(const intmill_model* m,
                                                  const intmill_probe* calibration,
                                                  const intmill_options* opts, intmill_probe** out);

/** Makes a probe that runs two models on the same data and compares their outputs.
 * @param opts THREADS, MEMORY_LIMIT, DISABLE_PASSES, hooks.
 * Errors: SHAPE (the number or types of the inputs differ, the number of outputs, or sizes that are
 * known on both sides), UNSUPPORTED (an operator that cannot run). @since 0.1 */
INTMILL_API intmill_status intmill_probe_verify(const intmill_model* reference,
                                                const intmill_model* candidate,
                                                const intmill_options* opts, intmill_probe** out);

/** As intmill_probe_verify, and also compares the results of layers, for intmill_model_certify.
 * Runs on one thread, so that figures do not depend on how many there are.
 * @param opts MEMORY_LIMIT, DISABLE_PASSES, hooks.
 * Errors: as intmill_probe_verify. @since 0.1 */
INTMILL_API intmill_status intmill_probe_certify(const intmill_model* reference,
                                                 const intmill_model* candidate,
                                                 const intmill_options* opts, intmill_probe** out);

/** Makes a probe that measures again what a model's certificate says. Feed it the same data in the
 * same order; batches may differ. The float model is not needed: the certificate keeps a sketch of
 * its values.
 * @param opts MEMORY_LIMIT, DISABLE_PASSES, hooks.
 * Errors: STATE (m has no certificate), BAD_FORMAT (it is damaged, or of another model),
 * BAD_VERSION (of a newer release), UNSUPPORTED (an operator that cannot run). @since 0.1 */
INTMILL_API intmill_status intmill_probe_replay(const intmill_model* m, const intmill_options* opts,
                                                intmill_probe** out);

/** Runs the probe's models on one batch and takes in what they do.
 * @param inputs n_inputs tensors, one for each input of the model and in its order; the rules for
 * types and shapes are those of intmill_session_run.
 * @param targets NULL and 0, or for any but a calibrating probe one tensor: the right class of each
 * row of the first output, S64 or S32, as many elements as rows. With every batch or with none.
 * Errors: SHAPE, INVALID_ARGUMENT (wrong counts, targets for a calibrating probe, a class out of
 * range), STATE (targets with some batches only; the probe was loaded from a file), CANCELLED.
 * After an error the probe is as it was before the call. A calibrating probe may be fed by many
 * threads at once. @since 0.1 */
INTMILL_API intmill_status intmill_probe_feed(intmill_probe* p, intmill_tensor* const* inputs,
                                              int64_t n_inputs, intmill_tensor* const* targets,
                                              int64_t n_targets);

/** A table of what the probe saw so far: INTMILL_REPORT_SUMMARY or INTMILL_REPORT_OUTPUTS (verify
 * and certify), INTMILL_REPORT_SUMMARY or INTMILL_REPORT_SENSITIVITY (sensitivity),
 * INTMILL_REPORT_RANGES or INTMILL_REPORT_HISTOGRAMS (calibrate), or INTMILL_REPORT_REPLAY
 * (replay). Errors: INVALID_ARGUMENT (a kind that is not this probe's), STATE (nothing was fed).
 * @since 0.1 */
INTMILL_API intmill_status intmill_probe_report(const intmill_probe* p, intmill_report_kind kind,
                                                intmill_report** out);

/** Writes what a calibrating probe saw, as a file of statistics (.imstat) that appears whole or not
 * at all. It holds counts and extremes, none of your data. Probes that saw the same data write the
 * same bytes, in whatever order and portions they saw it.
 * @param p may have seen nothing yet.
 * @param opts hooks.
 * Errors: INVALID_ARGUMENT (a probe of another kind), IO, CANCELLED. @since 0.1 */
INTMILL_API intmill_status intmill_probe_save(const intmill_probe* p, const char* path,
                                              const intmill_options* opts);

/** Makes a calibrating probe of a file of statistics. It serves intmill_quantize and
 * intmill_probe_sensitivity for the model that was calibrated, whichever copy of it, and can be
 * merged and saved, but not fed.
 * @param opts CALIBRATION and PERCENTILE for INTMILL_REPORT_RANGES, hooks.
 * Errors: IO, BAD_FORMAT (not a file of statistics, or a damaged one), BAD_VERSION, CANCELLED.
 * @since 0.1 */
INTMILL_API intmill_status intmill_probe_load(const char* path, const intmill_options* opts,
                                              intmill_probe** out);

/** Adds what another calibrating probe saw, as if p had seen it, too. Exact: neither the order nor
 * the portions of the data show. p may be fed by other threads at the same time.
 * Errors: INVALID_ARGUMENT (a probe of another kind or of another model; p stays as it was).
 * @since 0.1 */
INTMILL_API intmill_status intmill_probe_merge(intmill_probe* p, const intmill_probe* other);

/** Gives the probe back. @since 0.1 */
INTMILL_API void intmill_probe_release(intmill_probe* p);

/* ---- Quantizing a model ---------------------------------------------------------------------- */

/** Makes an equal float model whose channels have weights of like size on both of their sides:
 * cross-layer equalization, for weights with one scale for all (PER_CHANNEL 0). Needs no data; to
 * be calibrated afterwards. The metadata of the result says how many channels were scaled.
 * @param opts EQUALIZE_CLIPS, hooks.
 * Errors: STATE (m is quantized already), CANCELLED. @since 0.1 */
INTMILL_API intmill_status intmill_equalize(const intmill_model* m, const intmill_options* opts,
                                            intmill_model** out);

/** Makes an equal float model without outlier channels in the inputs of its products, whose weights
 * take them over: SmoothQuant, for transformers. The result must be calibrated anew.
 * @param calibration a calibrating probe of m that was fed, or one loaded from a file.
 * @param opts SMOOTH_ALPHA, PER_CHANNEL of the whole model, hooks.
 * Errors: INVALID_ARGUMENT (calibration is missing, of another model or another kind), STATE
 * (calibration was not fed; m is quantized already), CANCELLED. @since 0.1 */
INTMILL_API intmill_status intmill_smooth(const intmill_model* m, const intmill_probe* calibration,
                                          const intmill_options* opts, intmill_model** out);

/** Makes the 8-bit model of a float model. Inputs and outputs stay as they are, types included.
 * What cannot be quantized stays in float; INTMILL_REPORT_LAYERS says which and why.
 * @param calibration a calibrating probe of m that was fed, or one loaded from a file that such a
 * probe saved; NULL when no layer's scheme is INTMILL_SCHEME_STATIC and none wants
 * INTMILL_OPT_GPTQ, for which only a probe will do that was fed in this process with that option.
 * A rounding probe of m that was fed: weights are rounded as it learned.
 * @param opts SCHEME to GPTQ_ORDER (200 to 233), hooks.
 * Errors: INVALID_ARGUMENT (calibration is missing, of another model or another kind; a layer named
 * in opts without a glob does not exist), STATE (calibration was not fed; m is quantized already),
 * CANCELLED. @since 0.1 */
INTMILL_API intmill_status intmill_quantize(const intmill_model* m,
                                            const intmill_probe* calibration,
                                            const intmill_options* opts, intmill_model** out);

/** Chooses a precision for each layer: the cheapest choice whose noise keeps within a budget.
 * Reads no clock and no model; noise comes from sensitivity probes (for a layer 10^(-sqnr_db / 10),
 * 0 in float), cost from where you like: microseconds of a profile, bytes, or a mixture.
 * @param n_layers 0 or more.
 * @param n_precisions 1 to 256 that each layer can have.
 * @param noise n_layers rows of n_precisions numbers, none negative; infinity: never.
 * @param cost as noise, finite.
 * @param max_noise the largest sum of noises; where no choice keeps within it, each layer gets the
 * precision with the least noise.
 * @param chosen n_layers entries, written: which precision each layer gets, from 0.
 * Errors: INVALID_ARGUMENT (a number is negative, NaN, or a cost infinite). Any thread.
 * @since 0.1 */
INTMILL_API intmill_status intmill_plan_precisions(int64_t n_layers, int64_t n_precisions,
                                                   const double* noise, const double* cost,
                                                   double max_noise, int64_t* chosen);

/** The same model with a certificate: what a certifying probe found it to lose, on which data, with
 * which recipe. It shares everything else with m. Equal data and models give equal bytes on one
 * kind of processor; neither times nor names of files go in.
 * @param m the candidate of the probe, or one that differs in its metadata only.
 * Errors: INVALID_ARGUMENT (a probe of another kind or of another model), STATE (it was not fed).
 * @since 0.1 */
INTMILL_API intmill_status intmill_model_certify(const intmill_model* m,
                                                 const intmill_probe* certifying,
                                                 intmill_model** out);

/* ---- Running --------------------------------------------------------------------------------- */

/** Compiles a model for this machine. A model of an .ims file was compiled before, for some sets of
 * input shapes: then weights are used where they lie in the mapped file, and the outputs are the
 * same. When every input size is known, this is where all the work is
 * done; otherwise each new set of input shapes is compiled in the first run that has it, and the
 * plans of a few recent sets are kept. Weights are shared by all plans and bindings.
 * @param opts THREADS, MEMORY_LIMIT, PROFILE, DISABLE_PASSES, REBUILD_STALE, hooks.
 * Errors: UNSUPPORTED (an operator that cannot run), CANCELLED; of an .ims file also BAD_VERSION
 * (compiled for something else: the message says what was found and wanted; see
 * INTMILL_OPT_REBUILD_STALE) and BAD_FORMAT (a damaged file). @since 0.1 */
INTMILL_API intmill_status intmill_session_create(const intmill_model* m,
                                                  const intmill_options* opts,
                                                  intmill_session** out);

/** Runs the model once. Many threads may run one session at the same time, each with its own
 * tensors.
 * @param inputs n_inputs tensors, none NULL, input i for port i. Each has its port's type (nothing
 * is converted) and rank; a size equals the port's, and where that is -1 it is free, but sizes
 * with the same name in the model must be equal.
 * @param outputs n_outputs entries. NULL: a tensor of the port's type and the resulting shape is
 * created and is yours. Otherwise the tensor named is written in place; it has exactly that type
 * and shape, and shares no memory with an input or another output.
 * Errors: INVALID_ARGUMENT (n_inputs or n_outputs is not the port count, an input is NULL, memory
 * is shared), SHAPE (a type or a size does not fit: the message gives port, found and wanted),
 * UNSUPPORTED (a layer cannot run with this shape). On failure no entry of outputs is changed; what
 * was in the tensors named there may be. @since 0.1 */
INTMILL_API intmill_status intmill_session_run(const intmill_session* s,
                                               intmill_tensor* const* inputs, int64_t n_inputs,
                                               intmill_tensor** outputs, int64_t n_outputs);

/** A table about the session: INTMILL_REPORT_PROFILE or INTMILL_REPORT_MEMORY.
 * Errors: INVALID_ARGUMENT (a kind that is not a session's), STATE (PROFILE without
 * INTMILL_OPT_PROFILE). @since 0.1 */
INTMILL_API intmill_status intmill_session_report(const intmill_session* s,
                                                  intmill_report_kind kind, intmill_report** out);

/** Writes the session's model, and what it was compiled to, as an .ims file: sessions of a model
 * that is loaded from it are made many times faster, on the same kind of machine, with the same
 * build of the libraries, the same number of threads and the same DISABLE_PASSES. The file has the
 * weights twice, of which a running session uses one; its plans are those for the sets of input
 * shapes that the session keeps now. It appears whole or not at all, like that of
 * intmill_model_save. Any thread. Errors: IO, STATE (there is no plan yet: input sizes are free and
 * nothing was run, or sizes depend on what inputs hold), CANCELLED. @since 0.1 */
INTMILL_API intmill_status intmill_session_save(const intmill_session* s, const char* path);

/** Gives the session back. @since 0.1 */
INTMILL_API void intmill_session_release(intmill_session* s);

/** Makes a run state: it holds on to its tensors, and from the second run with the same tensors on
 * allocates nothing. One thread at a time; make one for each thread. @since 0.1 */
INTMILL_API intmill_status intmill_binding_create(const intmill_session* s, intmill_binding** out);

/** Names the tensor for a port; it stays until another takes its place. Write into it between runs
 * as you like.
 * @param t an input, or an output to write in place. NULL, for an output: the binding makes one.
 * That is also how it begins. NULL for an input: INVALID_ARGUMENT.
 * Errors: INVALID_ARGUMENT (index out of range), SHAPE (type, rank or a fixed size does not fit;
 * the sizes that depend on the inputs are checked by intmill_binding_run). @since 0.1 */
INTMILL_API intmill_status intmill_binding_set(intmill_binding* b, intmill_side side, int64_t index,
                                               intmill_tensor* t);

/** One more reference to the tensor of a port: what was set, or the output the binding made. The
 * latter is written again by the next run, or replaced if that has another shape.
 * Errors: INVALID_ARGUMENT (index out of range), STATE (an input that was not set, or an output
 * that was not set before the first run). @since 0.1 */
INTMILL_API intmill_status intmill_binding_get(const intmill_binding* b, intmill_side side,
                                               int64_t index, intmill_tensor** out);

/** Runs the model on the bound tensors, under the rules of intmill_session_run.
 * Errors: STATE (an input was not set), and those of intmill_session_run. @since 0.1 */
INTMILL_API intmill_status intmill_binding_run(intmill_binding* b);

/** Gives the binding back, with the tensors it made unless you hold references to them.
 * @since 0.1 */
INTMILL_API void intmill_binding_release(intmill_binding* b);

/* ---- Reports: every answer with rows is one of these; new columns are not an ABI change ------ */

/** Number of rows. @since 0.1 */
INTMILL_API int64_t intmill_report_rows(const intmill_report* r);

/** Number of columns. @since 0.1 */
INTMILL_API int64_t intmill_report_columns(const intmill_report* r);

/** Name of a column. @since 0.1 */
INTMILL_API const char* intmill_report_column(const intmill_report* r, int64_t column);

/** A cell as a number; NaN when it is not one. @since 0.1 */
INTMILL_API double intmill_report_f64(const intmill_report* r, int64_t row, int64_t column);

/** A cell as text. @since 0.1 */
INTMILL_API const char* intmill_report_str(const intmill_report* r, int64_t row, int64_t column);

/** The whole table as JSON: an array with one object a row; numbers that are not finite are null.
 * @since 0.1 */
INTMILL_API const char* intmill_report_json(const intmill_report* r);

/** Gives the table back. @since 0.1 */
INTMILL_API void intmill_report_release(intmill_report* r);

#ifdef __cplusplus
}
#endif
#endif /* INTMILL_INTMILL_H */
