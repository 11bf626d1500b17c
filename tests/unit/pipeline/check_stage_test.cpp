// SPDX-License-Identifier: Apache-2.0
// One summary estimator that keeps all laws, and breaks them one at a time when it is told to.
#include "broken_stages.hpp"

#include <partita/math/extremes.hpp>

#include <boost/describe/class.hpp>

#include <atomic>

namespace check_stage_test {

using namespace partita;

namespace {

enum class Break {
    nothing,
    always_throws,
    accepts_any_limit,
    writes_into_fit,
    writes_into_transform,
    counts_fits,
    wears_out,
    prints,
    looks_at_block_size,
    looks_at_neighbours,
    remembers_calls,
    treats_one_row_apart,
    suffers_from_moves,
    ignores_width,
    dislikes_weights,
    counts_absent_rows,
    squares_weights,
    divides_by_zero,
    fits_non_finite,
    names_wrong_row,
    names_no_row,
    transforms_non_finite,
    spreads_huge,
    divides_by_freedom,
    divides_by_range,
    depends_on_alignment,
    loads_another_number,
    loads_half,
    trusts_files,
};

std::atomic<int> fits_of_the_program{0};

/// Counts how often the settings that hold it were moved.
struct Moves {
    int count = 0;
    Moves() = default;
    Moves(const Moves&) = default;
    Moves& operator=(const Moves&) = default;
    Moves(Moves&& other) noexcept : count(other.count + 1) {}
    Moves& operator=(Moves&&) = default;
};

[[noreturn]] void refuse(std::int64_t row) {
    Place place;
    place.row = row;
    throw NonFiniteValue("a value is not finite", place);
}

/// Subtracts each element's mean.
struct Centre {
    using stage_concept = Estimator;
    static constexpr std::string_view id = "Centre";
    using Inputs = Columns<Read<"x", kinds_of(Kind::vector_float32)>>;
    using Outputs = Columns<Column<"centred", Vector<float>>>;

    Break how = Break::nothing;
    double limit = 0;
    Moves moves{};
    mutable int fits = 0;

    struct Summary {
        Break how = Break::nothing;
        ExactSum weight;
        ExactSums sums;
        Min<float> least;
        Max<float> most;

        void update(MatrixView<const float> x, Weights weights) {
            if (sums.size() == 0) sums.resize(x.columns());
            if (sums.size() != x.columns()) throw WrongWidth("another width");
            for (std::size_t row = 0; row < x.rows(); ++row) {
                double w = weights[row];
                if (how == Break::squares_weights) w *= w;
                if (how == Break::dislikes_weights && !weights.unit()) w *= 1.0000001;
                if (how == Break::counts_absent_rows && w == 0) weight.add(1.0);
                if (w == 0) continue;
                weight.add(w);
                for (std::size_t c = 0; c < x.columns(); ++c) {
                    const float value = x[row][c];
                    if (!(value - value == 0) && how != Break::fits_non_finite)
                        refuse(static_cast<std::int64_t>(row) + (how == Break::names_wrong_row ? 1 : 0));
                    sums.add(c, w * static_cast<double>(value));
                    if (c > 0) continue;
                    least.add(value);
                    most.add(value);
                }
            }
            if (how == Break::depends_on_alignment)
                sums.add(0, static_cast<double>(reinterpret_cast<std::uintptr_t>(x.data()) % 64));
            if (how == Break::writes_into_fit) const_cast<float&>(x[0][0]) += 1;
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (weight, sums, least, most), (), ())
    };

    struct Model {
        Break how = Break::nothing;
        std::vector<double> means;
        double factor = 1, offset = 0;
        mutable std::shared_ptr<std::atomic<int>> calls = std::make_shared<std::atomic<int>>(0);

        std::size_t output_width(MatrixView<const float> x) const { return x.columns(); }
        void operator()(MatrixView<const float> x, MatrixView<float> out) const {
            if (x.columns() != means.size() && how != Break::ignores_width) throw WrongWidth("another width");
            double added = offset;
            if (how == Break::remembers_calls) added += (*calls)++;
            if (how == Break::looks_at_block_size) added += static_cast<double>(x.rows() % 7);
            if (how == Break::treats_one_row_apart && x.rows() == 1) added += 1;
            for (std::size_t row = 0; row < x.rows(); ++row) {
                for (std::size_t c = 0; c < x.columns(); ++c) {
                    float value = x[row][c];
                    if (how == Break::spreads_huge && value > 1e30F) added = 1;
                    if (how == Break::looks_at_neighbours && row > 0) value += x[row - 1][c];
                    if (!(value - value == 0) && how != Break::transforms_non_finite)
                        refuse(how == Break::names_no_row ? -1 : static_cast<std::int64_t>(row));
                    out[row][c] = static_cast<float>(
                        (static_cast<double>(value) - (c < means.size() ? means[c] : 0.0)) * factor + added);
                }
            }
            if (how == Break::writes_into_transform) const_cast<float&>(x[0][0]) += 1;
        }
        template <class Writer>
        void save(Writer& writer) const {
            writer.scalar("how", static_cast<std::int32_t>(how));
            writer.vector("means", means);
            writer.scalar("factor", factor);
        }
        template <class Reader>
        void load(Reader& reader) {
            how = static_cast<Break>(reader.template scalar<std::int32_t>("how"));
            means = reader.template vector<double>("means");
            factor = reader.template scalar<double>("factor");
            if (how == Break::loads_another_number) means[0] += 1;
            if (how == Break::loads_half) offset = 1;
            if (how == Break::trusts_files && !(factor >= 0 && factor < 10)) static_cast<void>(means.at(1000));
        }
        void validate() const {
            if (how == Break::trusts_files) return;
            if (!(factor - factor == 0)) throw ModelFileInvalid("the factor is not finite");
        }
    };

    void validate() const {
        if (!(limit >= 0) && how != Break::accepts_any_limit)
            throw InvalidSetting("limit is negative", Place{.setting = "limit"});
    }
    Summary start() const {
        Summary summary;
        summary.how = how;
        return summary;
    }
    Model finish(const Summary& summary) const {
        if (how == Break::always_throws) throw NumericOverflow("always");
        if (how == Break::prints) std::fputs(" ", stdout);
        double weight = summary.weight.value();
        if (!(weight > 0) && how != Break::divides_by_zero) throw EmptyDataset("no rows of positive weight");
        if (how == Break::divides_by_freedom) weight -= 1;
        Model model;
        model.how = how;
        for (std::size_t c = 0; c < summary.sums.size(); ++c) model.means.push_back(summary.sums.value(c) / weight);
        if (how == Break::counts_fits) model.means[0] += ++fits_of_the_program;
        if (how == Break::wears_out) model.means[0] += fits++;
        if (how == Break::suffers_from_moves && moves.count > 1) model.means[0] += 1;
        if (how == Break::divides_by_range) {
            const double spread =
                static_cast<double>(*summary.most.value()) - static_cast<double>(*summary.least.value());
            model.factor = 1 / spread;
        }
        return model;
    }
};

StageReport report_of(Break how) {
    return check_stage<Centre>({.stage = {.how = how}, .refused = {{.how = how, .limit = -1}}});
}

}  // namespace

static_assert(std::is_same_v<detail::TableToCheck<Centre>, Schema<Column<"x", Vector<float>>>>);

TEST_CASE("a sound estimator keeps all laws, and every law has a broken stage", "[pipeline][check_stage]") {
    const StageReport report = report_of(Break::nothing);
    broken::is_sound(report);
    CHECK(report.count(LawOutcome::not_applicable) == 1);  // it predicts nothing
    CHECK(report.results().size() == std::size(broken::laws_with_a_broken_stage));
    for (const LawResult& result : report.results()) {
        INFO(result.name);
        CHECK(std::count(std::begin(broken::laws_with_a_broken_stage), std::end(broken::laws_with_a_broken_stage),
                         result.name) == 1);
    }
}

#if defined(__has_feature)
constexpr bool under_thread_sanitizer = __has_feature(thread_sanitizer);
#elif defined(__SANITIZE_THREAD__)
constexpr bool under_thread_sanitizer = true;
#else
constexpr bool under_thread_sanitizer = false;
#endif

TEST_CASE("each law catches the stage that breaks it", "[pipeline][check_stage]") {
    const std::pair<Break, const char*> cases[] = {
        {Break::always_throws, "sound rows are fitted"},
        {Break::accepts_any_limit, "refused settings throw at fit"},
        {Break::writes_into_fit, "fit leaves its input unchanged"},
        {Break::writes_into_transform, "transform leaves its input unchanged"},
        {Break::counts_fits, "fit again gives the same bytes"},
        {Break::wears_out, "a stage that was fitted can be fitted again"},
        {Break::prints, "nothing is printed"},
        {Break::looks_at_block_size, "a subset of the rows is transformed as in the whole"},
        {Break::looks_at_neighbours, "rows in another order give the same values"},
        {Break::remembers_calls, "a frame is transformed as the dataset"},
        {Break::treats_one_row_apart, "a single row is transformed as in the dataset"},
        {Break::remembers_calls, "transform from eight threads at once gives the same values"},
        {Break::suffers_from_moves, "in a longer pipeline the stage does what it does alone"},
        {Break::ignores_width, "vectors of another width are refused after the fit"},
        {Break::dislikes_weights, "unit weights are no weights"},
        {Break::counts_absent_rows, "a row of weight 0 is absent"},
        {Break::squares_weights, "a row of weight k is k rows"},
        {Break::divides_by_zero, "no rows, or none of positive weight, give EmptyDataset"},
        {Break::fits_non_finite, "NaN in a fit is refused with its row, or harms no other row"},
        {Break::names_wrong_row, "NaN in a fit is refused with its row, or harms no other row"},
        {Break::fits_non_finite, "infinity in a fit is refused with its row, or harms no other row"},
        {Break::names_no_row, "NaN in a transform is refused with its row, or changes no other row"},
        {Break::names_no_row, "infinity in a transform is refused with its row, or changes no other row"},
        {Break::transforms_non_finite, "what the fit refuses, transform refuses"},
        {Break::spreads_huge, "huge, tiny and negative zero values are refused, or harm no other row"},
        {Break::divides_by_freedom, "one row is fitted, or refused by a typed error"},
        {Break::divides_by_range, "constant columns are fitted, or refused by a typed error"},
        {Break::depends_on_alignment, "chunks do not matter"},
        {Break::loads_another_number, "a loaded model saves to the same bytes"},
        {Break::loads_half, "a loaded model transforms as the fitted one"},
        {Break::trusts_files, "damaged files are refused, forged ones too or they give safe models"},
    };
    for (const auto& [how, law] : cases) {
        if (how == Break::writes_into_transform && under_thread_sanitizer) continue;  // a race is what breaks it
        broken::catches(report_of(how), law);
    }
}

TEST_CASE("a listed failure does not fail the report until the stage keeps the law", "[pipeline][check_stage]") {
    const std::vector<ListedFailure> listed{{"a row of weight k is k rows", "an old habit"}};
    const StageReport known =
        check_stage<Centre>({.stage = {.how = Break::squares_weights}, .listed_failures = listed});
    broken::is_sound(known);
    CHECK(known.count(LawOutcome::failed_as_listed) == 1);
    CHECK(known.text().find("an old habit") != std::string::npos);
    CHECK(check_stage<Centre>({.listed_failures = listed}).failed("a row of weight k is k rows"));
}

TEST_CASE("a report is the same for the same seed, and says it", "[pipeline][check_stage]") {
    const CheckSettings<Centre> settings{.stage = {.how = Break::names_wrong_row}, .seed = 77, .rows = 5000};
    CHECK(check_stage<Centre>(settings).text() == check_stage<Centre>(settings).text());
    CHECK(check_stage<Centre>(settings).text().find("seed 77") != std::string::npos);
}

}  // namespace check_stage_test
