// expect: partita::wrong::ResultIsNoColumn
// SPDX-License-Identifier: Apache-2.0
// A function that returns a std::string: the text would be gone before anybody reads the column.
#include <partita/feature/map.hpp>

#include <string>

namespace pt = partita;

#ifndef PARTITA_FIXED
inline constexpr auto first_letter = [](pt::Category zone) { return std::string(zone.text.substr(0, 1)); };
#else
inline constexpr auto first_letter = [](pt::Category zone) { return zone.text.substr(0, 1); };
#endif
using Stage = decltype(pt::map<"zone", "letter">(first_letter));

int main() { return static_cast<int>(sizeof(Stage::OutputsFor<pt::Category>)) == 0; }
