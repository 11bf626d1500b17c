// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

namespace partita::inline PARTITA_ABI {

/// The roles of data, which are part of a dataset's type: what may be fitted on, and what may be judged on.
struct Unsplit {};     ///< not split yet: neither fitted nor judged on
struct Train {};       ///< what estimators fit
struct Validation {};  ///< what early stopping, calibration and tuning look at; may be judged on
struct Test {};        ///< what a final model is judged on
struct InSample {};    ///< predictions on rows of their model's own fit: no fit takes them, `evaluate_in_sample` does

}  // namespace partita::inline PARTITA_ABI
