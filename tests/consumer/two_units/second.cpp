// SPDX-License-Identifier: Apache-2.0
#include <partita/partita.hpp>

const char* version_seen_by_the_second_unit() { return partita::version; }
