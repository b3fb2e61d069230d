// Certificate: one pair of the metadata for each fact, so that files need no other form for it.
#include "quant/certificate.h"

#include <array>
#include <charconv>
#include <map>

#include "base/base64.h"
#include "base/bytes.h"

namespace intmill {
namespace {

constexpr std::string_view kForm = "1";
constexpr std::string_view kOutput = "output.";
constexpr std::string_view kLayer = "layer.";
constexpr int32_t kMostClasses = 1 << 30;

std::string Key(std::string_view fact) {
  return std::string(kCertificatePrefix) + std::string(fact);
}

// The shortest text that reads back as the same number; "inf" and "nan" too.
std::string Text(double number) {
  std::array<char, 40> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return std::string(text.data(), end);
}

std::string Text(const Certificate::Figure& f) {
  return Text(f.sqnr_db) + " " + Text(f.cosine) + " " + Text(f.max_abs) + " " + Text(f.mean_abs) +
         " " + Text(f.estimate) + " " + f.sketch.ToText();
}

std::string Text(const std::vector<int32_t>& answers) {
  ByteWriter bytes;
  for (const int32_t answer : answers) bytes.Unsigned(static_cast<uint64_t>(answer));
  return ToBase64(bytes.bytes());
}

// Takes words off the front of a text.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}
  std::string_view Next() {
    const size_t space = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, space);
    rest_.remove_prefix(std::min(space + 1, rest_.size()));
    return word;
  }
  Status Number(double* number) {
    const std::string_view word = Next();
    const auto end = word.data() + word.size();
    const auto found = std::from_chars(word.data(), end, *number);
    if (found.ec != std::errc() || found.ptr != end)
      return Error(Code::kBadFormat, "found '", word, "', wanted a number");
    return Ok();
  }

 private:
  std::string_view rest_;
};

class Reader {
 public:
  explicit Reader(const Graph& graph) {
    for (const auto& [key, value] : graph.metadata)
      if (key.starts_with(kCertificatePrefix))
        facts_.emplace(key.substr(kCertificatePrefix.size()), value);
  }

  Result<Certificate> Read() {
    if (facts_.empty()) return Error(Code::kState, "the model has no certificate");
    if (Fact("form") != kForm)
      return Error(Code::kBadVersion, "the certificate has form '", Fact("form"),
                   "', this release of intmill reads form ", kForm);
    Certificate c;
    c.reference = Fact("reference");
    c.model = Fact("model");
    c.data = Fact("data");
    c.labels = Fact("labels");
    c.isa = Fact("isa");
    c.version = Fact("version");
    c.onednn = Fact("onednn");
    for (const char* fact : {"reference", "model", "data"})
      if (Fact(fact).size() != 32) return Error(Code::kBadFormat, fact, " is not a digest");
    double rows = 0;
    TRY(Words(Fact("rows")).Number(&rows).At("rows"));
    if (!(rows >= 0 && rows < 1e15)) return Error(Code::kBadFormat, "rows is not a count");
    c.rows = static_cast<int64_t>(rows);
    TRY(Words(Fact("agreement")).Number(&c.agreement).At("agreement"));
    if (facts_.contains("accuracy")) TRY(ReadAccuracy(c).At("accuracy"));
    TRY(ReadAnswers(c).At("answers"));
    for (const auto& [fact, text] : facts_) {
      if (fact.starts_with(kOutput))
        TRY(ReadFigure(fact.substr(kOutput.size()), text, c.outputs).At(fact));
      if (fact.starts_with(kLayer))
        TRY(ReadFigure(fact.substr(kLayer.size()), text, c.layers).At(fact));
    }
    return c;
  }

 private:
  std::string Fact(std::string_view name) const {
    const auto found = facts_.find(name);
    return found == facts_.end() ? std::string() : found->second;
  }

  Status ReadAccuracy(Certificate& c) const {
    const std::string text = Fact("accuracy");
    Words words(text);
    Certificate::Accuracy a;
    for (double* number :
         {&a.reference_top1, &a.reference_top5, &a.candidate_top1, &a.candidate_top5})
      TRY(words.Number(number));
    c.accuracy = a;
    return Ok();
  }

  Status ReadAnswers(Certificate& c) const {
    ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, FromBase64(Fact("answers")));
    ByteReader reader(bytes);
    while (reader.left() > 0) {
      ASSIGN_OR_RETURN(const int64_t answer, reader.Unsigned(kMostClasses));
      c.answers.push_back(static_cast<int32_t>(answer));
    }
    if (!c.answers.empty() && static_cast<int64_t>(c.answers.size()) != c.rows)
      return Error(Code::kBadFormat, c.answers.size(), " answers for ", c.rows, " rows");
    return Ok();
  }

  static Status ReadFigure(std::string name, std::string_view text,
                           std::vector<Certificate::Figure>& figures) {
    Words words(text);
    Certificate::Figure f;
    f.name = std::move(name);
    for (double* number : {&f.sqnr_db, &f.cosine, &f.max_abs, &f.mean_abs, &f.estimate})
      TRY(words.Number(number));
    ASSIGN_OR_RETURN(f.sketch, Sketch::FromText(words.Next()));
    figures.push_back(std::move(f));
    return Ok();
  }

  std::map<std::string, std::string, std::less<>> facts_;
};

}  // namespace

bool HasCertificate(const Graph& graph) {
  const auto first = graph.metadata.lower_bound(std::string(kCertificatePrefix));
  return first != graph.metadata.end() && first->first.starts_with(kCertificatePrefix);
}

void WriteCertificate(const Certificate& c, Graph& graph) {
  std::erase_if(graph.metadata,
                [](const auto& pair) { return pair.first.starts_with(kCertificatePrefix); });
  const auto put = [&](std::string_view fact, std::string text) {
    if (!text.empty()) graph.metadata[Key(fact)] = std::move(text);
  };
  put("form", std::string(kForm));
  put("reference", c.reference);
  put("model", c.model);
  put("data", c.data);
  put("labels", c.labels);
  put("isa", c.isa);
  put("version", c.version);
  put("onednn", c.onednn);
  put("rows", std::to_string(c.rows));
  put("agreement", Text(c.agreement));
  if (c.accuracy)
    put("accuracy", Text(c.accuracy->reference_top1) + " " + Text(c.accuracy->reference_top5) +
                        " " + Text(c.accuracy->candidate_top1) + " " +
                        Text(c.accuracy->candidate_top5));
  put("answers", Text(c.answers));
  for (const Certificate::Figure& f : c.outputs) put(std::string(kOutput) + f.name, Text(f));
  for (const Certificate::Figure& f : c.layers) put(std::string(kLayer) + f.name, Text(f));
}

Result<Certificate> ReadCertificate(const Graph& graph) {
  Result<Certificate> read = Reader(graph).Read();
  if (read.ok() || read.status().code() == Code::kState) return read;
  return std::move(read).At("certificate");
}

Table DescribeCertificate(const Certificate& c, const Graph& graph) {
  Table table{.columns = {"fact", "name", "value"}, .rows = {}};
  const auto add = [&](const char* fact, const std::string& name, Table::Cell value) {
    table.Add({std::string(fact), name, std::move(value)});
  };
  const auto recipe = graph.metadata.find(kRecipeKey);
  add("reference", "", c.reference);
  add("model", "", c.model);
  add("data", "", c.data);
  if (!c.labels.empty()) add("labels", "", c.labels);
  if (recipe != graph.metadata.end()) add("recipe", "", recipe->second);
  add("version", "", c.version);
  add("onednn_version", "", c.onednn);
  add("isa", "", c.isa);
  add("samples", "", c.rows);
  add("agreement", "", c.agreement);
  if (c.accuracy) {
    add("reference_top1", "", c.accuracy->reference_top1);
    add("reference_top5", "", c.accuracy->reference_top5);
    add("candidate_top1", "", c.accuracy->candidate_top1);
    add("candidate_top5", "", c.accuracy->candidate_top5);
  }
  for (const Certificate::Figure& f : c.outputs) {
    add("output_sqnr_db", f.name, f.sqnr_db);
    add("output_cosine", f.name, f.cosine);
    add("output_max_abs", f.name, f.max_abs);
    add("output_mean_abs", f.name, f.mean_abs);
  }
  std::map<std::string_view, const Certificate::Figure*> layers;
  for (const Certificate::Figure& f : c.layers) layers.emplace(f.name, &f);
  for (const Node& node : graph.nodes) {
    const auto found = layers.find(node.name);
    if (found == layers.end()) continue;
    add("layer_sqnr_db", node.name, found->second->sqnr_db);
    add("layer_cosine", node.name, found->second->cosine);
  }
  return table;
}

}  // namespace intmill
