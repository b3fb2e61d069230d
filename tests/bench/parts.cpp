// The parts of bench_compare: its numbers, its command line, its child processes, its output.
#include <cmath>
#include <criterion/criterion.h>
#include <csignal>
#include <cstring>

#include "bench/compare/arguments.h"
#include "bench/compare/child.h"
#include "bench/compare/output.h"

using namespace intmill::bench;  // NOLINT(google-build-using-namespace): everything here is of it

TestSuite(bench);

Test(bench, median_of_an_even_count_is_the_mean_of_the_middle_two) {
  cr_assert_eq(Median({9, 1, 2}), 2);
  cr_assert_eq(Median({4, 1, 3, 100}), 3.5);
  cr_assert(std::isnan(Median({})));
}

Test(bench, geometric_mean_leaves_out_what_was_not_measured) {
  // Logarithms round: a few units in the last place.
  cr_assert_float_eq(GeometricMean({2, kNone, 8}), 4, 1e-12);
  cr_assert(std::isnan(GeometricMean({kNone})));
}

static std::string UsageMistake(const std::vector<std::string>& words) {
  try {
    ParseArguments(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

Test(bench, arguments_are_read) {
  const Arguments arguments =
      ParseArguments({"--threads", "2", "a/x.onnx", "--ort-int8", "x=b/y.onnx", "--seconds", ".5"});
  cr_assert_eq(arguments.threads, 2);
  cr_assert_eq(arguments.seconds, .5);
  cr_assert_eq(arguments.models, std::vector<std::string>{"a/x.onnx"});
  cr_assert_eq(arguments.ort_int8.at("x"), "b/y.onnx");
}

Test(bench, wrong_arguments_are_refused) {
  cr_assert_eq(UsageMistake({}), "no model given");
  cr_assert_eq(UsageMistake({"x.onnx", "--fast", "1"}), "--fast: not an option");
  cr_assert_eq(UsageMistake({"x.onnx", "--csv"}), "--csv: not an option, or its value is missing");
  cr_assert_eq(UsageMistake({"x.onnx", "--threads", "0"}), "--threads 0: wanted a number");
  cr_assert_eq(UsageMistake({"x.onnx", "--seconds", "1s"}), "--seconds 1s: wanted a number");
  cr_assert_eq(UsageMistake({"x.onnx", "--clock", "sun"}), "--clock sun: wanted wall or cpu");
  cr_assert_eq(UsageMistake({"x.onnx", "--clock", "cpu", "--threads", "2"}),
               "--clock cpu: wanted one thread, or their times add up");
  cr_assert_eq(UsageMistake({"x.onnx", "--ort-int8", "y"}), "--ort-int8 y: wanted NAME=FILE");
  cr_assert_eq(UsageMistake({"x.onnx", "--ort-int8", "y=z"}), "y=z: no model has that name");
}

Test(bench, a_child_hands_over_its_findings) {
  const Findings findings = RunInChild([](Findings& found) {
    found.Set("text", "two\nlines");
    found.SetNumber("number", 0.1);
  });
  cr_assert_eq(findings.Text("text"), "two lines");
  cr_assert_eq(findings.Number("number"), 0.1);
  cr_assert_eq(findings.Text(kError), "");
  cr_assert(std::isnan(findings.Number("nothing")));
}

Test(bench, what_ends_a_child_is_a_finding) {
  const Findings thrown = RunInChild([](Findings&) { throw std::runtime_error("no luck"); });
  cr_assert_eq(thrown.Text(kError), "no luck");
  const Findings crashed = RunInChild([](Findings&) {
    std::signal(SIGFPE, SIG_DFL);
    std::raise(SIGFPE);
  });
  cr_assert_eq(crashed.Text(kError), "the process crashed: Floating point exception");
}

Test(bench, memory_of_a_child_is_its_own) {
  const auto touch = [](size_t bytes) {
    return RunInChild([=](Findings& found) {
      std::vector<char> memory(bytes);
      std::memset(memory.data(), 1, bytes);
      asm volatile("" : : "r"(memory.data()) : "memory");
      found.SetNumber("mb", PeakMemoryMb());
    });
  };
  const double large = touch(100'000'000).Number("mb");
  const double small = touch(1000).Number("mb");
  // A kernel counts pages in batches, and AddressSanitizer has its own.
  cr_assert_geq(large - small, 90);
}

static Comparison TwoModels() {
  Comparison comparison;
  comparison.cpu = "A \"fast\" CPU";
  comparison.peak_gops = 1000;
  comparison.models.resize(2);
  ModelResult& first = comparison.models[0];
  first.name = "first";
  first.macs = 5e8;
  for (size_t i = 0; i < kVariants; ++i) first.figures[i].median_ms = static_cast<double>(i + 1);
  comparison.models[1].name = "second";
  comparison.models[1].figures[kOrtInt8].reason = "no\tfile";
  return comparison;
}

Test(bench, table_has_ratios_rates_and_reasons) {
  const std::string table = ToTable(TwoModels());
  // 2 * 5e8 operations in 2 ms are 500 GOP/s, half of the peak; ONNX Runtime takes 4 ms.
  cr_assert(strstr(table.c_str(), "  1.000    2.000    3.000     4.000"), "%s", table.c_str());
  cr_assert(strstr(table.c_str(), "3.00         2.00       500        250         50\n"), "%s",
            table.c_str());
  cr_assert(strstr(table.c_str(), "\nsecond, ort_int8: no\tfile\n"), "%s", table.c_str());
}

Test(bench, csv_leaves_empty_what_is_missing) {
  const std::string csv = ToCsv(TwoModels());
  cr_assert(csv.starts_with("model,macs,intmill_f32_ms,intmill_f32_min_ms,"), "%s", csv.c_str());
  cr_assert(strstr(csv.c_str(), "\nfirst,500000000,1,,,,"), "%s", csv.c_str());
  cr_assert(strstr(csv.c_str(), "\nsecond,,,,"), "%s", csv.c_str());
}

Test(bench, json_quotes_and_says_null) {
  const std::string json = ToJson(TwoModels());
  cr_assert(json.starts_with("{\"cpu\":\"A \\\"fast\\\" CPU\","), "%s", json.c_str());
  cr_assert(strstr(json.c_str(), "\"onnxruntime\":null"), "%s", json.c_str());
  cr_assert(strstr(json.c_str(), "\"model\":\"second\",\"macs\":null"), "%s", json.c_str());
  cr_assert(strstr(json.c_str(), "\"reasons\":{\"ort_int8\":\"no file\"}"), "%s", json.c_str());
}
