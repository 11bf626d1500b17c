// SPDX-License-Identifier: Apache-2.0
#pragma once

// A fitted pipeline on a single row: the same kernels over views of one row, on the stack, inlined. Stages that the wanted
// column does not need are left out at compile time.

#include <partita/data/output_view.hpp>
#include <partita/pipeline/explain.hpp>
#include <partita/pipeline/step.hpp>

#include <memory>
#include <tuple>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

inline constexpr Absorb absorb{};

/// What is wrong with the name of a column that a fitted pipeline is asked for.
template <class Last, Name ColumnName, bool Found, int Near>
struct ExplainColumn {};
template <class Last, Name ColumnName, int Near>
struct ExplainColumn<Last, ColumnName, false, Near> {
    static_assert(sizeof(wrong::ColumnIsMissing<wrong::Wanted<ColumnName>, typename Hint<Last, Near>::type>) == 0,
                  "the pipeline neither reads nor makes a column of this name");
};

template <class NodeTypes>
inline constexpr bool predicts = false;
template <class... Nodes>
inline constexpr bool predicts<Types<Nodes...>> =
    (std::is_same_v<typename Nodes::StageAt::stage_concept, Predictor> || ...);

/// What is wrong where predictions or probabilities are asked for.
template <class PipelineType, bool HasLearner, bool HasOutput>
struct ExplainPrediction {};
template <class PipelineType>
struct ExplainPrediction<PipelineType, false, false> {
    static_assert(sizeof(wrong::PipelineLacksStage<wrong::Wanted<"a learner">, wrong::Given<PipelineType>>) == 0,
                  "the pipeline has no learner, so no predictions; transform gives any other column of one row");
};
template <class PipelineType>
struct ExplainPrediction<PipelineType, true, false> {
    static_assert(
        sizeof(wrong::PipelineLacksStage<wrong::Wanted<"a learner of classes">, wrong::Given<PipelineType>>) == 0,
        "the last learner of the pipeline makes no probabilities; predict gives its prediction");
};

}  // namespace detail

/// The elements of a sparse vector, owned: what `transform<"features">(row)` gives where `features` is sparse.
template <class T>
struct SparseElements {
    std::vector<std::int32_t> indices;  ///< ascending
    std::vector<T> values;
    std::size_t width = 0;

    operator SparseVector<T>() const { return {indices, values, width}; }
};

namespace detail {

/// Memory for the vectors of one row: what it is given first (4 KiB on the stack, or what a scorer owns), then the heap.
class RowScratch {
  public:
    RowScratch(std::byte* bytes, std::size_t size_bytes) : bytes_(bytes), size_bytes_(size_bytes) {}
    RowScratch(const RowScratch&) = delete;
    RowScratch& operator=(const RowScratch&) = delete;

    template <class T>
    T* take(std::size_t count) {
        const std::size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
        wanted_bytes_ += bytes;
        if (wanted_bytes_ <= size_bytes_) return reinterpret_cast<T*>(bytes_ + wanted_bytes_ - bytes);
        more_.push_back(std::make_unique<std::byte[]>(bytes));
        return reinterpret_cast<T*>(more_.back().get());
    }
    /// How much would have been enough.
    std::size_t wanted_bytes() const { return wanted_bytes_; }

  private:
    std::byte* bytes_;
    std::size_t size_bytes_, wanted_bytes_ = 0;
    std::vector<std::unique_ptr<std::byte[]>> more_;
};

/// One value of a column, which can be viewed and written like a column of one row.
template <class T>
class Cell {
  public:
    void set(T value) { value_ = value; }
    T get() const { return value_; }
    std::span<const T> view() const { return {&value_, 1}; }
    std::span<T> open(std::size_t, RowScratch&) { return {&value_, 1}; }

  private:
    T value_{};
};
template <class T>
class Cell<std::optional<T>> {
  public:
    void set(const std::optional<T>& value) {
        valid_ = value.has_value();
        if (value) value_.set(*value);
    }
    std::optional<T> get() const { return valid_ != 0 ? std::optional<T>(value_.get()) : std::nullopt; }
    auto view() const { return ColumnView<std::optional<T>>(value_.view(), &valid_, 0); }
    NullableOutput<T> open(std::size_t width, RowScratch& scratch) {
        return {value_.open(width, scratch).data(), &valid_, 1};
    }

  private:
    Cell<T> value_;
    std::uint8_t valid_ = 0;
};
template <>
class Cell<Text> {
  public:
    void set(Text value) {
        text_ = value.text;
        offsets_[1] = static_cast<std::int64_t>(text_.size());
    }
    Text get() const { return text_; }
    TextView view() const { return {text_.data(), offsets_, 1}; }

  private:
    std::string_view text_;
    std::int64_t offsets_[2]{};
};
template <>
class Cell<Category> {
  public:
    void set(const Category& value) {
        text_ = value.text;
        interned_ = value.id;
    }
    Category get() const { return Category(text_); }
    CategoryView view() const { return {&code_, &text_, interned_}; }
    CategoryOutput open(std::size_t, RowScratch&) { return {&text_, 1}; }

  private:
    std::string_view text_;
    std::int32_t code_ = 0, interned_ = -1;
};
template <class T, std::int64_t Extent>
class Cell<Vector<T, Extent>> {
  public:
    void set(std::span<const T> value) {
        data_ = value.data();
        width_ = value.size();
    }
    std::vector<T> get() const { return {data_, data_ + width_}; }
    MatrixView<const T> view() const { return {data_, 1, width_}; }
    MatrixView<T> open(std::size_t width, RowScratch& scratch) {
        T* room = scratch.take<T>(width);
        data_ = room;
        width_ = width;
        return {room, 1, width};
    }

  private:
    const T* data_ = nullptr;
    std::size_t width_ = 0;
};
template <>
class Cell<OneHot> {
  public:
    void set(OneHot value) { code_ = value.code, width_ = value.width; }
    OneHot get() const { return {code_, width_}; }
    OneHotView view() const { return {&code_, 1, width_}; }
    OneHotOutput open(std::size_t width, RowScratch&) {
        width_ = width;
        return {&code_, 1, width};
    }

  private:
    std::int32_t code_ = -1;
    std::size_t width_ = 0;
};
template <class T>
class Cell<SparseVector<T>> {
  public:
    void set(const SparseVector<T>& value) {
        indices_ = value.indices.data();
        values_ = value.values.data();
        offsets_[1] = static_cast<std::int64_t>(value.indices.size());
        width_ = value.width;
    }
    SparseElements<T> get() const {
        const std::int64_t count = offsets_[1] - offsets_[0];
        return {{indices_, indices_ + count}, {values_, values_ + count}, width_};
    }
    SparseView<T> view() const { return {offsets_, indices_, values_, 1, width_}; }
    SparseOutput<T> open(std::size_t width, RowScratch& scratch) {
        width_ = width;
        scratch_ = &scratch;
        return SparseOutput<T>(offsets_, width, grow, this);
    }

  private:
    static void grow(SparseOutput<T>& output, void* owner) {
        Cell& cell = *static_cast<Cell*>(owner);
        const std::size_t capacity = std::max<std::size_t>(32, 2 * output.size());
        auto* indices = cell.scratch_->template take<std::int32_t>(capacity);
        T* values = cell.scratch_->template take<T>(capacity);
        std::copy(cell.indices_, cell.indices_ + output.size(), indices);
        std::copy(cell.values_, cell.values_ + output.size(), values);
        cell.indices_ = indices;
        cell.values_ = values;
        output.place(indices, values, capacity);
    }

    std::int64_t offsets_[2]{};
    const std::int32_t* indices_ = nullptr;
    const T* values_ = nullptr;
    std::size_t width_ = 0;
    RowScratch* scratch_ = nullptr;
};

/// Which slots must exist to have one of them: it, what it is computed from, and what is computed along with it.
template <class Last, int Wanted>
struct LiveSlots {
    static constexpr auto flags = [] {
        std::array<bool, static_cast<std::size_t>(slot_count(Last::data))> live{};
        live[Wanted] = true;
        for (int slot = Wanted; slot >= 0; --slot) {
            if (!live[static_cast<std::size_t>(slot)]) continue;
            const SlotInfo& info = slot_info(Last::data, slot);
            for (int i = 0; i < info.parent_count; ++i) live[static_cast<std::size_t>(info.parents[i])] = true;
            for (int other = 0; other < slot_count(Last::data); ++other) {  // outputs of one kernel share their parents
                const SlotInfo& sibling = slot_info(Last::data, other);
                if (sibling.parents == info.parents && info.parents != nullptr)
                    live[static_cast<std::size_t>(other)] = true;
            }
        }
        return live;
    }();
    static constexpr int count = [] {
        int live = 0;
        for (bool flag : flags) live += flag;
        return live;
    }();
    static constexpr auto slots = [] {
        std::array<int, static_cast<std::size_t>(count)> result{};
        std::size_t at = 0;
        for (int slot = 0; slot < slot_count(Last::data); ++slot)
            if (flags[static_cast<std::size_t>(slot)]) result[at++] = slot;
        return result;
    }();
    static constexpr std::size_t place(int slot) {
        std::size_t at = 0;
        while (slots[at] != slot) ++at;
        return at;
    }
};

template <class List>
struct CellsOf;
template <class... V>
struct CellsOf<Types<V...>> {
    using type = std::tuple<Cell<V>...>;
};

template <class Request, Name ColumnName, class... D>
consteval int member_index(boost::mp11::mp_list<D...>*) {
    int index = -1, at = 0;
    ((index = index < 0 && std::string_view(D::name) == ColumnName.view() ? at : index, ++at), ...);
    return index;
}

/// Takes one column out of a user's row.
template <class T, Name ColumnName, class Request>
void fill_cell(Cell<T>& cell, const Request& row) {
    using Members = boost::mp11::mp_rename<RowMembers<Request>, boost::mp11::mp_list>;
    constexpr int index = member_index<Request, ColumnName>(static_cast<Members*>(nullptr));
    if constexpr (index < 0) {
        static_assert(
            sizeof(wrong::RowLacksColumn<wrong::Given<Request>, wrong::Wanted<ColumnName>>) == 0,
            "the row that is scored lacks a column that the stages read: add the member to its struct and describe it");
    } else {
        using Member = boost::mp11::mp_at_c<Members, static_cast<std::size_t>(index)>;
        using Given = std::remove_cvref_t<decltype(row.*Member::pointer)>;
        constexpr ColumnType given = column_type<Given>, wanted = column_type<T>;
        if constexpr (given.kind != wanted.kind || (given.nullable && !wanted.nullable)) {
            static_assert(
                sizeof(wrong::ColumnHasWrongType<wrong::OfColumn<ColumnName>, wrong::Given<Given>, wrong::Takes<T>>) ==
                    0,
                "a member of the row that is scored has another type than the column that the pipeline was fitted on");
        } else if constexpr (requires { cell.set(row.*Member::pointer); }) {
            cell.set(row.*Member::pointer);
        } else {
            cell.set(as_column_value<T>(row.*Member::pointer));
        }
    }
}

template <class Last, class Live, class N, int I, class Cells, class Model>
[[gnu::always_inline]] inline void run_on_row(Cells& cells, const Model& model, RowScratch& scratch) {
    using At = typename N::template InstanceAt<I>;
    constexpr int first_output = N::data.first + I * N::outputs_each;
    if constexpr (Live::flags[static_cast<std::size_t>(first_output)]) {
        [&]<std::size_t... J, std::size_t... O>(std::index_sequence<J...>, std::index_sequence<O...>) {
            const auto views = std::make_tuple(std::get<Live::place(At::inputs[J])>(cells).view()...);
            try {
                const std::size_t width = output_width(model, std::get<J>(views)...);
                model(std::get<J>(views)...,
                      std::get<Live::place(first_output + static_cast<int>(O))>(cells).open(width, scratch)...);
            } catch (Error& error) {
                name_stage(error, &instance_title<N>, I);
                throw;
            }
        }(std::make_index_sequence<At::inputs.size()>(),
          std::make_index_sequence<static_cast<std::size_t>(N::outputs_each)>());
    }
}

template <class Last, class Live, class N, class Cells, class ModelTuple>
[[gnu::always_inline]] inline void run_stage_on_row(Cells& cells, const ModelTuple& models, RowScratch& scratch) {
    [&]<int... I>(std::integer_sequence<int, I...>) {
        if constexpr (!is_resampler<typename N::StageAt>)
            (run_on_row<Last, Live, N, I>(cells, std::get<static_cast<std::size_t>(I)>(models), scratch), ...);
    }(std::make_integer_sequence<int, N::instance_count>());
}

template <class First, class... Rest>
struct LastOf : LastOf<Rest...> {};
template <class One>
struct LastOf<One> {
    using type = One;
};

template <class C>
struct CellValue;
template <class T>
struct CellValue<Cell<T>> {
    using type = T;
};

/// The value of one slot for one row.
template <class Row, class Nodes, int Wanted>
struct RowProgram;
template <class Row, class... N, int Wanted>
struct RowProgram<Row, Types<N...>, Wanted> {
    using Last = typename LastOf<N...>::type;
    using Live = LiveSlots<Last, Wanted>;
    using Cells = typename CellsOf<typename ValuesAt<Last, Live::slots>::type>::type;
    static constexpr std::size_t source_cells = [] {
        std::size_t count = 0;
        while (count < Live::slots.size() && Live::slots[count] < static_cast<int>(columns_of<Row>.size())) ++count;
        return count;
    }();

    template <class Models, class Request>
    static auto run(const Models& models, const Request& row, RowScratch& scratch) {
        Cells cells;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (fill_cell<typename CellValue<std::tuple_element_t<I, Cells>>::type,
                       slot_name<Last::data, Live::slots[I]>()>(std::get<I>(cells), row),
             ...);
        }(std::make_index_sequence<source_cells>());
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            (run_stage_on_row<Last, Live, N>(cells, std::get<S>(models), scratch), ...);
        }(std::index_sequence_for<N...>());
        return std::get<Live::place(Wanted)>(cells).get();
    }
};

template <class Row, class Nodes, int Wanted, class Models, class Request>
auto evaluate_row(const Models& models, const Request& row, RowScratch& scratch) {
    if constexpr (Wanted < 0) {
        return absorb;  // whoever asked for the column has said what is wrong
    } else if constexpr (!is_described<Request>) {
        static_assert(sizeof(wrong::RowIsNotDescribed<wrong::Given<Request>>) == 0,
                      "a row is a struct described by BOOST_DESCRIBE_STRUCT(Row, (), (members…))");
        return absorb;
    } else {
        return RowProgram<Row, Nodes, Wanted>::run(models, row, scratch);
    }
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
