// expect: partita::wrong::FunctionDoesNotTake
// SPDX-License-Identifier: Apache-2.0
// A function of numbers over a column in which they may be missing.
#include <partita/feature/map.hpp>

namespace pt = partita;

#ifndef PARTITA_FIXED
inline constexpr auto half = [](float x) { return x / 2; };
#else
inline constexpr auto half = [](std::optional<float> x) { return x ? std::optional<float>(*x / 2) : x; };
#endif
using Stage = decltype(pt::map<"x", "half">(half));

int main() { return static_cast<int>(sizeof(Stage::OutputsFor<std::optional<float>>)) == 0; }
