// Table: the rows and named columns behind every report.
#ifndef INTMILL_BASE_TABLE_H
#define INTMILL_BASE_TABLE_H

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace intmill {

struct Table {
  using Cell = std::variant<std::monostate, int64_t, double, std::string>;  // monostate: no value

  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  // as many cells as columns

  void Add(std::vector<Cell> row) { rows.push_back(std::move(row)); }
};

// [{"column": value, ...}, ...]; cells without a value and non-finite numbers are null.
std::string ToJson(const Table& table);
// What a person reads in a cell: "" for no value.
std::string ToText(const Table::Cell& cell);

}  // namespace intmill

#endif  // INTMILL_BASE_TABLE_H
