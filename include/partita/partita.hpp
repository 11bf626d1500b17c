// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything but the optional components. Written by scripts/generate_umbrella; do not edit.

#include <partita/core/error.hpp>
#include <partita/core/name.hpp>
#include <partita/core/near_name.hpp>
#include <partita/core/number_text.hpp>
#include <partita/core/random.hpp>
#include <partita/core/sort_few.hpp>
#include <partita/core/version.hpp>
#include <partita/core/wrong.hpp>

#include <partita/math/accumulator.hpp>
#include <partita/math/accumulator_list.hpp>
#include <partita/math/category_counts.hpp>
#include <partita/math/centred_gram.hpp>
#include <partita/math/cholesky.hpp>
#include <partita/math/count.hpp>
#include <partita/math/dense_layer.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/elementary.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/fixed_sums.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/gram.hpp>
#include <partita/math/histogram.hpp>
#include <partita/math/logistic.hpp>
#include <partita/math/margins.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/moments.hpp>
#include <partita/math/ordered_bits.hpp>
#include <partita/math/quantiles.hpp>
#include <partita/math/scratch.hpp>
#include <partita/math/sparse_moments.hpp>
#include <partita/math/stable_hash.hpp>
#include <partita/math/text_index.hpp>
#include <partita/math/triangle.hpp>
#include <partita/math/weights.hpp>
#include <partita/math/word_reader.hpp>

#include <partita/exec/cancel.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/exec/progress.hpp>
#include <partita/exec/spin.hpp>
#include <partita/exec/thread_pool.hpp>

#include <partita/persist/atomic_file.hpp>
#include <partita/persist/checksum.hpp>
#include <partita/persist/json.hpp>
#include <partita/persist/model_file.hpp>
#include <partita/persist/safetensors.hpp>
#include <partita/persist/value.hpp>

#include <partita/comm/all_to_all.hpp>
#include <partita/comm/bytes.hpp>
#include <partita/comm/channel.hpp>
#include <partita/comm/checked.hpp>
#include <partita/comm/checkpoints.hpp>
#include <partita/comm/communicator.hpp>
#include <partita/comm/consistency.hpp>
#include <partita/comm/counting.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/faulty.hpp>
#include <partita/comm/format.hpp>
#include <partita/comm/halving_doubling.hpp>
#include <partita/comm/in_process.hpp>
#include <partita/comm/instruments.hpp>
#include <partita/comm/link.hpp>
#include <partita/comm/local_threads.hpp>
#include <partita/comm/parameter_server.hpp>
#include <partita/comm/parameter_table.hpp>
#include <partita/comm/pending_reductions.hpp>
#include <partita/comm/read_log.hpp>
#include <partita/comm/reduce.hpp>
#include <partita/comm/reduce_tree.hpp>
#include <partita/comm/ring_all_reduce.hpp>
#include <partita/comm/run.hpp>
#include <partita/comm/session.hpp>
#include <partita/comm/settings.hpp>
#include <partita/comm/shares.hpp>
#include <partita/comm/tree_aggregate.hpp>
#include <partita/comm/update_rules.hpp>
#include <partita/comm/wire.hpp>

#include <partita/data/block.hpp>
#include <partita/data/block_checksum.hpp>
#include <partita/data/by_key.hpp>
#include <partita/data/chunk.hpp>
#include <partita/data/chunk_list.hpp>
#include <partita/data/column_builder.hpp>
#include <partita/data/column_data.hpp>
#include <partita/data/column_type.hpp>
#include <partita/data/column_view.hpp>
#include <partita/data/dataset.hpp>
#include <partita/data/dataset_state.hpp>
#include <partita/data/frame.hpp>
#include <partita/data/from_eigen.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/gather.hpp>
#include <partita/data/group_by.hpp>
#include <partita/data/join.hpp>
#include <partita/data/origin.hpp>
#include <partita/data/output_view.hpp>
#include <partita/data/partitioned.hpp>
#include <partita/data/reads.hpp>
#include <partita/data/regroup.hpp>
#include <partita/data/rename.hpp>
#include <partita/data/result_place.hpp>
#include <partita/data/role.hpp>
#include <partita/data/row_ids.hpp>
#include <partita/data/rows_that_count.hpp>
#include <partita/data/schema.hpp>
#include <partita/data/selector.hpp>
#include <partita/data/sort.hpp>
#include <partita/data/split.hpp>
#include <partita/data/top.hpp>

#include <partita/stage/category_tally.hpp>
#include <partita/stage/class_labels.hpp>
#include <partita/stage/class_types.hpp>
#include <partita/stage/concepts.hpp>
#include <partita/stage/features.hpp>
#include <partita/stage/fit_rows.hpp>
#include <partita/stage/split_names.hpp>
#include <partita/stage/stage_column.hpp>

#include <partita/io/csv.hpp>
#include <partita/io/lines.hpp>

#include <partita/optimize/descent.hpp>
#include <partita/optimize/descent_state.hpp>
#include <partita/optimize/lbfgs.hpp>
#include <partita/optimize/newton.hpp>

#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/block_terms.hpp>
#include <partita/evaluate/error_sums.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/log_loss.hpp>
#include <partita/evaluate/mae.hpp>
#include <partita/evaluate/metric.hpp>
#include <partita/evaluate/r_squared.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/evaluate/roc_area.hpp>
#include <partita/evaluate/score.hpp>
#include <partita/evaluate/two_classes.hpp>

#include <partita/feature/assemble.hpp>
#include <partita/feature/hash_features.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/feature/unseen.hpp>

#include <partita/linear/linear_features.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/linear/p_values.hpp>
#include <partita/linear/sparse_logistic_regression.hpp>

#include <partita/neural/multilayer_perceptron.hpp>

#include <partita/pipeline/after.hpp>
#include <partita/pipeline/completeness.hpp>
#include <partita/pipeline/explain.hpp>
#include <partita/pipeline/fit_task.hpp>
#include <partita/pipeline/fitted.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/node.hpp>
#include <partita/pipeline/online_fit.hpp>
#include <partita/pipeline/pipeline.hpp>
#include <partita/pipeline/row.hpp>
#include <partita/pipeline/slots.hpp>
#include <partita/pipeline/step.hpp>
