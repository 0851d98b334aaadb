#include "load/model.h"

#include "load/json_field.h"

namespace baton::load {

std::string quoted(std::string_view bytes) {
  if (bytes.size() <= kQuoteMax) return json_string(bytes);
  return json_string(bytes.substr(0, kQuoteMax)) + "...";
}

}  // namespace baton::load
