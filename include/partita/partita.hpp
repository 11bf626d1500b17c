// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything but the optional components. Written by scripts/generate_umbrella; do not edit.

#include <partita/core/error.hpp>
#include <partita/core/name.hpp>
#include <partita/core/version.hpp>
#include <partita/core/wrong.hpp>

#include <partita/math/fused.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/weights.hpp>

#include <partita/exec/cancel.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/exec/progress.hpp>
#include <partita/exec/thread_pool.hpp>

#include <partita/persist/atomic_file.hpp>
#include <partita/persist/checksum.hpp>
#include <partita/persist/json.hpp>
#include <partita/persist/safetensors.hpp>

#include <partita/comm/bytes.hpp>
#include <partita/comm/channel.hpp>
#include <partita/comm/communicator.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/format.hpp>
#include <partita/comm/in_process.hpp>
#include <partita/comm/link.hpp>
#include <partita/comm/local_threads.hpp>
#include <partita/comm/parameter_server.hpp>
#include <partita/comm/ring_all_reduce.hpp>
#include <partita/comm/run.hpp>
#include <partita/comm/session.hpp>
#include <partita/comm/settings.hpp>
#include <partita/comm/shares.hpp>
#include <partita/comm/tree_aggregate.hpp>

#include <partita/data/block.hpp>
#include <partita/data/chunk.hpp>
#include <partita/data/column_data.hpp>
#include <partita/data/column_type.hpp>
#include <partita/data/column_view.hpp>
#include <partita/data/output_view.hpp>
#include <partita/data/reads.hpp>
#include <partita/data/role.hpp>
#include <partita/data/schema.hpp>
#include <partita/data/selector.hpp>
