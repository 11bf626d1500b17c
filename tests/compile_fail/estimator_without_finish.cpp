// expect-regex: StageIsIncomplete<.*AtStage<1>.*DivideByRows.*Wanted<.*"finish\(\) const".*Takes<.*DivideByRows::Model ?\(const .*DivideByRows::Summary ?&\)
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/math/count.hpp>

struct DivideByRows {
    using stage_concept = pt::Estimator;
    static constexpr std::string_view id = "DivideByRows";
    using Inputs = pt::Columns<pt::Column<"distance_km", float>>;
    using Outputs = Inputs;
    struct Summary {
        pt::Count rows;
        void update(std::span<const float> km, pt::Weights weights) {
            for (std::size_t i = 0; i < km.size(); ++i) rows.add(weights[i]);
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (rows), (), ())
    };
    struct Model {
        double rows = 0;
        void operator()(std::span<const float> km, std::span<float> out) const {
            for (std::size_t i = 0; i < km.size(); ++i) out[i] = km[i] / static_cast<float>(rows);
        }
    };
#ifdef PARTITA_FIXED
    Model finish(const Summary& seen) const { return {seen.rows.weight()}; }
#endif
};

using Divided = pt::Fitted<pt::Pipeline<DivideByRows>, Trip>;
Divided train(const TrainTrips& trips) { return pt::pipeline(DivideByRows{}).fit(trips); }
