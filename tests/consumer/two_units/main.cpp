// SPDX-License-Identifier: Apache-2.0
// Two translation units that both include everything: a function in a header that is not inline would fail to link.
#include <partita/partita.hpp>

#include <string_view>

const char* version_seen_by_the_second_unit();

int main() { return std::string_view(version_seen_by_the_second_unit()) == partita::version ? 0 : 1; }
