// C entries about reports. None of them can fail.
#include <limits>

#include "capi/guard.h"
#include "capi/handles.h"
#include "intmill/intmill.h"

using namespace intmill;
using namespace intmill::capi;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool HasColumn(const intmill_report* r, int64_t column) {
  return Alive(r) && column >= 0 && column < static_cast<int64_t>(r->table.columns.size());
}

bool HasCell(const intmill_report* r, int64_t row, int64_t column) {
  return HasColumn(r, column) && row >= 0 && row < static_cast<int64_t>(r->table.rows.size());
}

}  // namespace

int64_t intmill_report_rows(const intmill_report* r) {
  return Alive(r) ? static_cast<int64_t>(r->table.rows.size()) : 0;
}

int64_t intmill_report_columns(const intmill_report* r) {
  return Alive(r) ? static_cast<int64_t>(r->table.columns.size()) : 0;
}

const char* intmill_report_column(const intmill_report* r, int64_t column) {
  return HasColumn(r, column) ? r->table.columns[static_cast<size_t>(column)].c_str() : "";
}

double intmill_report_f64(const intmill_report* r, int64_t row, int64_t column) {
  if (!HasCell(r, row, column)) return kNan;
  const Table::Cell& cell = r->table.rows[static_cast<size_t>(row)][static_cast<size_t>(column)];
  if (const auto* integer = std::get_if<int64_t>(&cell)) return static_cast<double>(*integer);
  const auto* number = std::get_if<double>(&cell);
  return number != nullptr ? *number : kNan;
}

const char* intmill_report_str(const intmill_report* r, int64_t row, int64_t column) {
  if (!HasCell(r, row, column)) return "";
  return r->texts[static_cast<size_t>(row)][static_cast<size_t>(column)].c_str();
}

const char* intmill_report_json(const intmill_report* r) { return Alive(r) ? r->json.c_str() : ""; }

void intmill_report_release(intmill_report* r) { Release(r); }
