// Certificate: lines of text in one value of the metadata, so that files need no other form for it.
#include "quant/certificate.h"

#include <array>
#include <bit>
#include <charconv>
#include <map>

#include "base/base64.h"
#include "base/bytes.h"

namespace intmill {
namespace {

constexpr std::string_view kForm = "1";
constexpr int64_t kMostRows = int64_t{1} << 50;
constexpr int kMostClassBits = 30;

// The shortest text that reads back as the same number; "inf" and "nan" too.
template <typename Number>
std::string Text(Number number) {
  std::array<char, 40> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return std::string(text.data(), end);
}

std::string Text(const Certificate::Accuracy& a) {
  return Text(a.reference_top1) + " " + Text(a.reference_top5) + " " + Text(a.candidate_top1) +
         " " + Text(a.candidate_top5);
}

std::string Short(double number) { return Text(static_cast<float>(number)); }

// The name comes last, after its length: it may hold any character.
std::string Text(const Certificate::Figure& f, bool is_output) {
  std::string text = Short(f.sqnr_db) + " " + Short(f.cosine) + " ";
  if (is_output) text += Short(f.max_abs) + " " + Short(f.mean_abs) + " ";
  return text + Short(f.estimate) + " " + f.sketch.ToText() + " " + Text(f.name.size()) + " " +
         f.name;
}

// The bits that the largest one needs, and base64 of that many bits for each, lowest first.
std::string Text(const std::vector<int32_t>& answers) {
  uint32_t all = 1;
  for (const int32_t answer : answers) all |= static_cast<uint32_t>(answer);
  const int bits = std::bit_width(all);
  ByteWriter bytes;
  uint64_t pending = 0;
  int held = 0;
  for (const int32_t answer : answers) {
    pending |= static_cast<uint64_t>(answer) << held;
    for (held += bits; held >= 8; held -= 8, pending >>= 8)
      bytes.Byte(static_cast<uint8_t>(pending));
  }
  if (held > 0) bytes.Byte(static_cast<uint8_t>(pending));
  return Text(bits) + " " + ToBase64(bytes.bytes());
}

Result<std::vector<int32_t>> ReadBits(std::span<const std::byte> bytes, int bits, int64_t rows) {
  const int64_t wanted = (rows * bits + 7) / 8;
  if (static_cast<int64_t>(bytes.size()) != wanted)
    return Error(Code::kBadFormat, "found ", bytes.size(), " bytes, wanted ", wanted, " for ", rows,
                 " rows");
  std::vector<int32_t> answers;
  answers.reserve(static_cast<size_t>(rows));
  uint64_t pending = 0;
  int held = 0;
  for (const std::byte byte : bytes) {
    pending |= std::to_integer<uint64_t>(byte) << held;
    for (held += 8; held >= bits && static_cast<int64_t>(answers.size()) < rows; held -= bits) {
      answers.push_back(static_cast<int32_t>(pending & ((uint64_t{1} << bits) - 1)));
      pending >>= bits;
    }
  }
  return answers;
}

// Takes words, which end at a space or at the end of a line, off the front of a text.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }

  std::string_view Next() {
    const std::string_view word = Take(std::min(rest_.find_first_of(" \n"), rest_.size()));
    Take(std::min<size_t>(1, rest_.size()));
    return word;
  }
  template <typename Number>
  Status Read(Number* number) {
    const std::string_view word = Next();
    const auto end = word.data() + word.size();
    const auto found = std::from_chars(word.data(), end, *number);
    if (found.ec != std::errc() || found.ptr != end)
      return Error(Code::kBadFormat, "found '", word, "', wanted a number");
    return Ok();
  }
  Status ReadDigest(std::string* digest) {
    *digest = Next();
    if (digest->size() == 32) return Ok();
    return Error(Code::kBadFormat, "found '", *digest, "', wanted a digest");
  }
  // A length, then that many characters, which end the line.
  Status ReadName(std::string* name) {
    size_t length = 0;
    TRY(Read(&length));
    if (length >= rest_.size() || rest_[length] != '\n')
      return Error(Code::kBadFormat, "a name is not ", length, " characters long");
    *name = Take(length);
    Take(1);
    return Ok();
  }

 private:
  std::string_view Take(size_t length) {
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  std::string_view rest_;
};

Status ReadAnswers(Words& words, Certificate& c) {
  int bits = 0;
  TRY(words.Read(&bits));
  if (bits < 1 || bits > kMostClassBits)
    return Error(Code::kBadFormat, "found ", bits, " bits, wanted 1 to ", kMostClassBits);
  ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, FromBase64(words.Next()));
  if (c.rows > static_cast<int64_t>(bytes.size()) * 8)
    return Error(Code::kBadFormat, bytes.size(), " bytes for ", c.rows, " rows");
  ASSIGN_OR_RETURN(c.answers, ReadBits(bytes, bits, c.rows));
  return Ok();
}

Status ReadFigure(Words& words, bool is_output, std::vector<Certificate::Figure>& figures) {
  Certificate::Figure f;
  TRY(words.Read(&f.sqnr_db));
  TRY(words.Read(&f.cosine));
  if (is_output) {
    TRY(words.Read(&f.max_abs));
    TRY(words.Read(&f.mean_abs));
  }
  TRY(words.Read(&f.estimate));
  ASSIGN_OR_RETURN(f.sketch, Sketch::FromText(words.Next()));
  TRY(words.ReadName(&f.name));
  figures.push_back(std::move(f));
  return Ok();
}

Status ReadAccuracy(Words& words, Certificate& c) {
  Certificate::Accuracy& a = c.accuracy.emplace();
  for (double* number :
       {&a.reference_top1, &a.reference_top5, &a.candidate_top1, &a.candidate_top5})
    TRY(words.Read(number));
  return Ok();
}

Status ReadRows(Words& words, Certificate& c) {
  TRY(words.Read(&c.rows));
  if (c.rows < 0 || c.rows > kMostRows)
    return Error(Code::kBadFormat, "found ", c.rows, ", wanted a count");
  return words.Read(&c.agreement);
}

Status ReadFact(std::string_view fact, Words& words, Certificate& c) {
  if (fact == "reference") return words.ReadDigest(&c.reference);
  if (fact == "model") return words.ReadDigest(&c.model);
  if (fact == "data") return words.ReadDigest(&c.data);
  if (fact == "labels") return words.ReadDigest(&c.labels);
  if (fact == "rows") return ReadRows(words, c);
  if (fact == "accuracy") return ReadAccuracy(words, c);
  if (fact == "answers") return ReadAnswers(words, c);
  if (fact == "output") return ReadFigure(words, true, c.outputs);
  if (fact == "layer") return ReadFigure(words, false, c.layers);
  if (fact != "by") return Error(Code::kBadFormat, "no such fact");
  c.version = words.Next();
  c.onednn = words.Next();
  c.isa = words.Next();
  return Ok();
}

Result<Certificate> Read(std::string_view text) {
  Words words(text);
  if (const std::string_view form = words.Next(); form != kForm)
    return Error(Code::kBadVersion, "found form '", form, "', this release of intmill reads form ",
                 kForm);
  Certificate c;
  while (!words.at_end()) {
    const std::string_view fact = words.Next();
    TRY(ReadFact(fact, words, c).At(fact));
  }
  if (c.reference.empty() || c.model.empty() || c.data.empty() || c.isa.empty())
    return Error(Code::kBadFormat, "it ends too early");
  return c;
}

}  // namespace

bool HasCertificate(const Graph& graph) { return graph.metadata.contains(kCertificateKey); }

void WriteCertificate(const Certificate& c, Graph& graph) {
  std::string text = std::string(kForm) + "\n";
  const auto put = [&](std::string_view fact, const std::string& value) {
    text += std::string(fact) + " " + value + "\n";
  };
  put("reference", c.reference);
  put("model", c.model);
  put("data", c.data);
  if (!c.labels.empty()) put("labels", c.labels);
  put("rows", Text(c.rows) + " " + Text(c.agreement));
  if (c.accuracy) put("accuracy", Text(*c.accuracy));
  if (!c.answers.empty()) put("answers", Text(c.answers));
  for (const Certificate::Figure& f : c.outputs) put("output", Text(f, true));
  for (const Certificate::Figure& f : c.layers) put("layer", Text(f, false));
  put("by", c.version + " " + c.onednn + " " + c.isa);
  graph.metadata[kCertificateKey] = std::move(text);
}

Result<Certificate> ReadCertificate(const Graph& graph) {
  const auto found = graph.metadata.find(kCertificateKey);
  if (found == graph.metadata.end()) return Error(Code::kState, "the model has no certificate");
  return Read(found->second).At("certificate");
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
