// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything but the optional components. Written by scripts/generate_umbrella; do not edit.

#include <partita/core/error.hpp>
#include <partita/core/name.hpp>
#include <partita/core/version.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/weights.hpp>
#include <partita/data/block.hpp>
#include <partita/data/chunk.hpp>
#include <partita/data/column_data.hpp>
#include <partita/data/column_type.hpp>
#include <partita/data/column_view.hpp>
#include <partita/data/output_view.hpp>
#include <partita/data/role.hpp>
#include <partita/data/schema.hpp>
