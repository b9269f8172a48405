// A venue's name for an instrument as our symbol: its spelling, '/' as '-'. Empty when it cannot be one.
#pragma once
#include <string>
#include <string_view>

namespace tw::feed {

inline std::string SymbolOf(std::string_view venue_symbol) {
  if (venue_symbol.empty() || venue_symbol.size() > 40) return {};
  std::string symbol(venue_symbol);
  for (char& c : symbol) {
    if (c == '/') c = '-';
    const bool allowed = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '&' || c == '_' || c == '-';
    if (!allowed) return {};
  }
  return symbol;
}

}  // namespace tw::feed
