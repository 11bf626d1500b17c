// expect-regex: TypeIsNoPipeline<.*Given<const .*Pipeline<
// SPDX-License-Identifier: Apache-2.0
#include <partita/pipeline/model_file.hpp>

#include "trips.hpp"

// Fitted takes the type of a pipeline; that of a const variable is another.
void serve(const Trip& request) {
    const auto pipeline = fare_pipeline();
#ifdef PARTITA_FIXED
    using Model = pt::Fitted<std::remove_const_t<decltype(pipeline)>, Trip>;
#else
    using Model = pt::Fitted<decltype(pipeline), Trip>;
#endif
    const auto model = pt::load<Model>("fares.safetensors");
    static_cast<void>(model.predict(request));
}
