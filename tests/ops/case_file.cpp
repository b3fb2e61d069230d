// Reads .case files: one statement a line, each statement one row of a table.
#include "ops/case_file.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "ops/case_values.h"

namespace intmill::test {
namespace {

struct Line {
  int64_t number = 0;
  std::vector<std::string> words;
};

Result<std::vector<Line>> ReadLines(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error(Code::kIo, path, ": cannot be read");
  std::vector<Line> lines;
  std::string text;
  for (int64_t number = 1; std::getline(file, text); ++number) {
    std::istringstream words(text.substr(0, text.find('#')));
    std::string word;
    if (!(words >> word)) continue;
    if (word != "|") lines.push_back({number, {word}});
    if (lines.empty()) return Error(Code::kBadFormat, path, ": begins with a continuation");
    while (words >> word) lines.back().words.push_back(word);
  }
  return lines;
}

bool IsQuoted(const std::string& word) { return word.size() >= 2 && word.front() == '"'; }
std::string Unquoted(const std::string& word) { return word.substr(1, word.size() - 2); }
bool LooksFloat(const std::string& word) { return word.find_first_of(".eni") != std::string::npos; }

// "[1", "2", "3]" and "[]" to plain words.
std::vector<std::string> Unbracketed(Words words) {
  std::string joined;
  for (const std::string& word : words) joined += word + " ";
  joined.erase(joined.find(']'));
  std::istringstream in(joined.substr(1));
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

Result<Attribute> ParseList(Words words) {
  const std::vector<std::string> items = Unbracketed(words);
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  const bool any_float = std::any_of(items.begin(), items.end(), LooksFloat);
  for (const std::string& item : items) {
    if (IsQuoted(item)) {
      strings.push_back(Unquoted(item));
    } else if (any_float) {
      ASSIGN_OR_RETURN(const double value, ParseNumber(item));
      floats.push_back(static_cast<float>(value));
    } else {
      ASSIGN_OR_RETURN(const int64_t value, ParseInteger(item));
      ints.push_back(value);
    }
  }
  if (!strings.empty()) return Attribute(strings);
  if (any_float) return Attribute(floats);
  return Attribute(ints);
}

Result<Attribute> ParseAttribute(Words words) {
  if (words[0].front() == '[') {
    if (words.back().back() != ']') return Error(Code::kBadFormat, "a list wants its ']'");
    return ParseList(words);
  }
  if (words.size() > 1) {
    ASSIGN_OR_RETURN(const Tensor tensor, ParseTensor(words));
    return Attribute(tensor);
  }
  if (IsQuoted(words[0])) return Attribute(Unquoted(words[0]));
  if (LooksFloat(words[0])) {
    ASSIGN_OR_RETURN(const double value, ParseNumber(words[0]));
    return Attribute(static_cast<float>(value));
  }
  ASSIGN_OR_RETURN(const int64_t value, ParseInteger(words[0]));
  return Attribute(value);
}

using Arguments = Words;
using Statement = Status (*)(OpCase&, Arguments);

Status SetOp(OpCase& c, Arguments a) {
  c.op = a[0];
  if (a.size() > 1) c.domain = a[1];
  return Ok();
}

Status SetOpset(OpCase& c, Arguments a) {
  ASSIGN_OR_RETURN(c.opset, ParseInteger(a[0]));
  return Ok();
}

Status AddAttribute(OpCase& c, Arguments a) {
  if (a.size() < 2) return Error(Code::kBadFormat, "attr wants a name and a value");
  ASSIGN_OR_RETURN(Attribute value, ParseAttribute(a.subspan(1)));
  c.attrs.Set(a[0], std::move(value));
  return Ok();
}

Status AddTensor(OpCase& c, Arguments a, bool constant) {
  if (a[0] == "none") {
    c.inputs.push_back({});
    return Ok();
  }
  ASSIGN_OR_RETURN(Tensor tensor, ParseTensor(a));
  c.inputs.push_back({.present = true, .constant = constant, .tensor = std::move(tensor)});
  return Ok();
}

Status AddInput(OpCase& c, Arguments a) { return AddTensor(c, a, false); }
Status AddConst(OpCase& c, Arguments a) { return AddTensor(c, a, true); }

Status AddOutput(OpCase& c, Arguments a) {
  CaseOutput& output = c.outputs.emplace_back();
  if (a[0] == "none") return Ok();
  output.present = true;
  if (a.size() < 3) return Error(Code::kBadFormat, "output wants type, shape and values");
  ASSIGN_OR_RETURN(output.dtype, ParseDType(a[0]));
  ASSIGN_OR_RETURN(output.shape, ParseShape(a[1]));
  if (a[2] == "reference") return Ok();
  ASSIGN_OR_RETURN(Tensor expected, ParseTensor(a));
  output.expected = std::move(expected);
  return Ok();
}

Status NumberWithReason(Arguments a, double* out) {
  if (a.size() < 2) return Error(Code::kBadFormat, "a tolerance wants its reason");
  ASSIGN_OR_RETURN(*out, ParseNumber(a[0]));
  return Ok();
}

Status SetTolerance(OpCase& c, Arguments a) { return NumberWithReason(a, &c.tolerance); }
Status SetLowered(OpCase& c, Arguments a) { return NumberWithReason(a, &c.lowered_tolerance); }
Status SetSteps(OpCase& c, Arguments a) {
  return NumberWithReason(a, &c.quantized_steps.emplace());
}

Status SetReferenceOnly(OpCase& c, Arguments) {
  c.reference_only = true;
  return Ok();
}

Status SetFloatOnly(OpCase& c, Arguments) {
  c.float_only = true;
  return Ok();
}

Status SetOwnScales(OpCase& c, Arguments) {
  c.own_scales = true;
  return Ok();
}

Status AddPostOp(OpCase& c, Arguments a) {
  using Kind = PostOp::Kind;
  static const std::map<std::string, Kind> kKinds = {{"Relu", Kind::kRelu},
                                                     {"Clip", Kind::kClip},
                                                     {"LeakyRelu", Kind::kLeakyRelu},
                                                     {"Sigmoid", Kind::kSigmoid},
                                                     {"Tanh", Kind::kTanh},
                                                     {"Elu", Kind::kElu},
                                                     {"HardSigmoid", Kind::kHardSigmoid},
                                                     {"HardSwish", Kind::kHardSwish},
                                                     {"Gelu", Kind::kGelu},
                                                     {"Swish", Kind::kSwish},
                                                     {"Add", Kind::kAdd}};
  const auto kind = kKinds.find(a[0]);
  if (kind == kKinds.end()) return Error(Code::kBadFormat, "'", a[0], "' is not a post-op");
  PostOp post_op{.kind = kind->second};
  if (a.size() > 1) {
    ASSIGN_OR_RETURN(const double first, ParseNumber(a[1]));
    post_op.alpha = static_cast<float>(first);
    post_op.input = static_cast<int64_t>(first);
  }
  if (a.size() > 2) {
    ASSIGN_OR_RETURN(const double second, ParseNumber(a[2]));
    post_op.beta = static_cast<float>(second);
  }
  c.post_ops.push_back(post_op);
  return Ok();
}

Status SetError(OpCase& c, Arguments a) {
  ExpectedError& error = c.error.emplace();
  error.code = a[0];
  for (const std::string& word : a.subspan(1)) error.text += (error.text.empty() ? "" : " ") + word;
  return Ok();
}

const std::map<std::string, Statement> kStatements = {
    {"op", SetOp},
    {"opset", SetOpset},
    {"attr", AddAttribute},
    {"input", AddInput},
    {"const", AddConst},
    {"output", AddOutput},
    {"tolerance", SetTolerance},
    {"lowered_tolerance", SetLowered},
    {"quantized_steps", SetSteps},
    {"reference_only", SetReferenceOnly},
    {"float_only", SetFloatOnly},
    {"own_scales", SetOwnScales},
    {"post_op", AddPostOp},
    {"error", SetError},
};

Status ReadLine(const Line& line, std::vector<OpCase>& cases) {
  if (line.words.size() < 2)
    return Error(Code::kBadFormat, "'", line.words[0], "' wants an argument");
  const Arguments arguments = Arguments(line.words).subspan(1);
  if (line.words[0] == "case") {
    cases.push_back({});
    cases.back().name = arguments[0];
    cases.back().line = line.number;
    return Ok();
  }
  if (cases.empty()) return Error(Code::kBadFormat, "the first statement must be 'case'");
  const auto statement = kStatements.find(line.words[0]);
  if (statement == kStatements.end())
    return Error(Code::kBadFormat, "'", line.words[0], "' is not a statement");
  return statement->second(cases.back(), arguments);
}

}  // namespace

Result<std::vector<OpCase>> ReadCases(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<Line> lines, ReadLines(path));
  std::vector<OpCase> cases;
  for (const Line& line : lines) TRY(ReadLine(line, cases).At(Cat(path, ":", line.number)));
  return cases;
}

}  // namespace intmill::test
