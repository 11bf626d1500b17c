// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything but the optional components. Written by scripts/generate_umbrella; do not edit.

#include <partita/core/error.hpp>
#include <partita/core/name.hpp>
#include <partita/core/random.hpp>
#include <partita/core/version.hpp>
#include <partita/core/wrong.hpp>

#include <partita/math/accumulator.hpp>
#include <partita/math/category_counts.hpp>
#include <partita/math/count.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/elementary.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/exact_sum/deposit.hpp>
#include <partita/math/exact_sum/environment.hpp>
#include <partita/math/exact_sum/grid.hpp>
#include <partita/math/exact_sum/state.hpp>
#include <partita/math/exact_sum/wire.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/gram.hpp>
#include <partita/math/histogram.hpp>
#include <partita/math/logistic.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/moments.hpp>
#include <partita/math/ordered_bits.hpp>
#include <partita/math/quantiles.hpp>
#include <partita/math/quantiles/selection.hpp>
#include <partita/math/text_index.hpp>
#include <partita/math/weights.hpp>
#include <partita/math/word_reader.hpp>

#include <partita/exec/cancel.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/exec/progress.hpp>
#include <partita/exec/thread_pool.hpp>

#include <partita/persist/atomic_file.hpp>
#include <partita/persist/checksum.hpp>
#include <partita/persist/json.hpp>
#include <partita/persist/model_file.hpp>
#include <partita/persist/model_file/difference.hpp>
#include <partita/persist/model_file/format.hpp>
#include <partita/persist/model_file/reader.hpp>
#include <partita/persist/model_file/writer.hpp>
#include <partita/persist/safetensors.hpp>
#include <partita/persist/value.hpp>

#include <partita/comm/bytes.hpp>
#include <partita/comm/channel.hpp>
#include <partita/comm/checked.hpp>
#include <partita/comm/communicator.hpp>
#include <partita/comm/counting.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/faulty.hpp>
#include <partita/comm/format.hpp>
#include <partita/comm/in_process.hpp>
#include <partita/comm/link.hpp>
#include <partita/comm/local_threads.hpp>
#include <partita/comm/parameter_server.hpp>
#include <partita/comm/reduce.hpp>
#include <partita/comm/reduce_tree.hpp>
#include <partita/comm/ring_all_reduce.hpp>
#include <partita/comm/run.hpp>
#include <partita/comm/session.hpp>
#include <partita/comm/settings.hpp>
#include <partita/comm/shares.hpp>
#include <partita/comm/tree_aggregate.hpp>
#include <partita/comm/wire.hpp>

#include <partita/data/block.hpp>
#include <partita/data/chunk.hpp>
#include <partita/data/column_builder.hpp>
#include <partita/data/column_data.hpp>
#include <partita/data/column_type.hpp>
#include <partita/data/column_view.hpp>
#include <partita/data/dataset.hpp>
#include <partita/data/dataset_state.hpp>
#include <partita/data/frame.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/output_view.hpp>
#include <partita/data/reads.hpp>
#include <partita/data/regroup.hpp>
#include <partita/data/role.hpp>
#include <partita/data/schema.hpp>
#include <partita/data/selector.hpp>
#include <partita/data/split.hpp>

#include <partita/stage/concepts.hpp>
#include <partita/stage/fit_rows.hpp>

#include <partita/io/csv.hpp>
#include <partita/io/csv/bad_record.hpp>
#include <partita/io/csv/category_table.hpp>
#include <partita/io/csv/chunk_parser.hpp>
#include <partita/io/csv/columns.hpp>
#include <partita/io/csv/header.hpp>
#include <partita/io/csv/options.hpp>
#include <partita/io/csv/parse_number.hpp>
#include <partita/io/csv/parse_value.hpp>
#include <partita/io/csv/scan.hpp>
#include <partita/io/csv/source.hpp>
#include <partita/io/csv/structure.hpp>
#include <partita/io/csv/table.hpp>

#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/log_loss.hpp>
#include <partita/evaluate/mae.hpp>
#include <partita/evaluate/metric.hpp>
#include <partita/evaluate/r_squared.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/evaluate/roc_area.hpp>
#include <partita/evaluate/roc_area/kernel.hpp>
#include <partita/evaluate/roc_area/rank.hpp>
#include <partita/evaluate/roc_area/ranked_rows.hpp>
#include <partita/evaluate/roc_area/tally.hpp>
#include <partita/evaluate/score.hpp>

#include <partita/feature/map.hpp>

#include <partita/pipeline/explain.hpp>
#include <partita/pipeline/fit_task.hpp>
#include <partita/pipeline/fitted.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/node.hpp>
#include <partita/pipeline/pipeline.hpp>
#include <partita/pipeline/row.hpp>
#include <partita/pipeline/step.hpp>
