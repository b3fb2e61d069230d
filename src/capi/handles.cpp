// Wrapping what the layers below make into handles.
#include "capi/handles.h"

namespace intmill::capi {

const OptionBag& BagOf(const intmill_options* opts) {
  static const OptionBag empty;
  return opts == nullptr ? empty : opts->bag;
}

Status CheckModel(const intmill_model* m, std::string_view name) {
  TRY(CheckHandle(m, name));
  return m->check_weights ? m->check_weights() : Ok();
}

Result<std::unique_ptr<intmill_tensor>> WrapTensor(Result<Tensor> t) {
  ASSIGN_OR_RETURN(Tensor value, std::move(t));
  auto handle = std::make_unique<intmill_tensor>();
  handle->Set(std::move(value));
  return handle;
}

Result<std::unique_ptr<intmill_report>> WrapReport(Result<Table> table) {
  ASSIGN_OR_RETURN(Table value, std::move(table));
  auto handle = std::make_unique<intmill_report>();
  for (const std::vector<Table::Cell>& row : value.rows) {
    std::vector<std::string>& texts = handle->texts.emplace_back();
    for (const Table::Cell& cell : row) texts.push_back(ToText(cell));
  }
  handle->json = ToJson(value);
  handle->table = std::move(value);
  return handle;
}

}  // namespace intmill::capi
