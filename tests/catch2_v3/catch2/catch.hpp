// SPDX-License-Identifier: Apache-2.0
#pragma once

// Gives Catch2 3 the one header of Catch2 2 that our tests include.
#include <catch2/catch_all.hpp>

using Catch::Approx;
