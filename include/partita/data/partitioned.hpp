// SPDX-License-Identifier: Apache-2.0
#pragma once

// An ordered, partitioned, distributed sequence of anything: what a Dataset is to rows of a table.

#include <partita/comm/reduce.hpp>
#include <partita/comm/reduce_tree.hpp>
#include <partita/data/chunk_list.hpp>
#include <partita/data/result_place.hpp>

#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Elements of some whole blocks, stored together.
template <class T>
struct ElementChunk : RowIds {
    ElementChunk(std::int64_t first_id, std::vector<T> elements)
        : RowIds(first_id, elements.size()), values(std::move(elements)) {}
    ElementChunk(const RowIds& ids, std::vector<T> elements) : RowIds(ids), values(std::move(elements)) {}

    std::vector<T> values;
};

template <class T>
constexpr void demand_travels() {
    static_assert(Travels<T>,
                  "elements must travel between workers: make the type trivially copyable, or specialise pt::Wire<T> "
                  "with write(const T&, pt::ByteWriter&) and read(pt::ByteReader&); a view refers to memory that other "
                  "workers have not, so give a std::string for a std::string_view or a pt::Category, a std::vector for "
                  "a std::span");
}

}  // namespace detail

/// An ordered sequence of T, spread over the workers of a session. Copies share the elements, which never change.
///
/// T is any copyable type; what brings elements to other workers (`reduce`, `collect`) needs it trivially copyable or with a
/// `pt::Wire<T>`, and without views (`std::string_view`, `std::span`, `pt::Category`), also as members of a struct. Elements have ids as rows have: the block of an element is its id / 4096, `filter` keeps ids, and chunks are
/// runs of whole blocks. All functions but `session` are collective: every worker calls them, an error of one is thrown on
/// all, and of several errors that of the lowest block. Functions that are passed in run on many threads at once.
/// Determinism: every result is the same for any number of threads, workers and chunks, as long as the functions look at
/// nothing but their arguments.
template <class T>
class Partitioned {
    using Part = detail::ElementChunk<T>;
    using Chunks = detail::ChunkList<Part>;

  public:
    using value_type = T;

    Session& session() const { return *session_; }

    /// The number of elements on all workers.
    std::int64_t count() const {
        std::int64_t elements = detail::rows_of(chunks_);
        session_->communicator().all_reduce(std::span(&elements, 1), Reduction::sum);
        return elements;
    }

    /// `f(element)` of every element, computed now. Ids stay.
    template <class F>
    auto map(F f) const {
        using Result = std::remove_cvref_t<std::invoke_result_t<F&, const T&>>;
        using To = detail::ElementChunk<Result>;
        detail::ChunkList<To> results(chunks_.size());
        over_chunks([&](std::size_t index, const Part& chunk) {
            std::vector<Result> values;
            values.reserve(chunk.rows());
            each(chunk, [&](const T& element, std::size_t) { values.push_back(f(element)); });
            results[index] = std::make_shared<const To>(chunk, std::move(values));
        });
        return Partitioned<Result>(*session_, std::move(results));
    }

    /// The elements for which `keep(element)` is true. Ids stay.
    template <class Predicate>
    Partitioned filter(Predicate keep) const {
        Chunks kept(chunks_.size());
        over_chunks([&](std::size_t index, const Part& chunk) {
            std::vector<std::int64_t> ids;
            std::vector<T> values;
            each(chunk, [&](const T& element, std::size_t row) {
                if (!keep(element)) return;
                ids.push_back(chunk.row_id(row));
                values.push_back(element);
            });
            if (!ids.empty()) kept[index] = std::make_shared<const Part>(RowIds(std::move(ids)), std::move(values));
        });
        std::erase(kept, nullptr);
        return Partitioned(*session_, std::move(kept));
    }

    /// `op(op(a, b), …)` of all elements, in their order; nothing if there are none. `op(a, b)` gives a T and need be neither
    /// commutative nor associative: the elements of a block are taken from the first to the last, and the blocks along
    /// one fixed binary tree over their ids. Cost: each worker sends the others two T a level of the tree, at most.
    template <class Op>
    std::optional<T> reduce(Op op) const {
        detail::demand_travels<T>();
        const auto join = [&op](T& left, const T& right) { left = op(std::move(left), right); };
        const auto places = detail::places_of_blocks(chunks_);
        const std::int64_t first = places.empty() ? 0 : id_of(places.front());
        const std::int64_t end = places.empty() ? 0 : id_of(places.back()) + 1;
        BlockTree<T, decltype(join)> tree(first, end, join);
        const PendingError pending = attempt([&] {
            std::vector<std::optional<T>> folded(places.size());
            session_->for_each(places.size(), [&](std::size_t index, std::size_t) {
                each_in_block(places[index], [&](const T& element, std::size_t) {
                    if (folded[index]) {
                        join(*folded[index], element);
                    } else {
                        folded[index] = element;
                    }
                });
            });
            for (std::size_t i = 0; i < places.size(); ++i) tree.add(id_of(places[i]), std::move(*folded[i]));
        });
        return tree.finish(session_->communicator(), pending);
    }
    /// The same with `start` in front: `op(start, reduction)`, and `start` itself if there are no elements.
    template <class Op>
    T reduce(T start, Op op) const {
        std::optional<T> total = reduce(op);
        return total ? op(std::move(start), *total) : start;
    }

    /// Folds all elements into a state of exact accumulators: `update(state, element)` runs once per element.
    template <class State, class Update>
    State aggregate(const State& empty, Update update) const {
        static_assert(
            exact_state<State>,
            "the state must be made of exact accumulators (Count, ExactSum, Min, …): their sums do not depend on "
            "the order; reduce takes any operation");
        std::vector<State> states(session_->threads(), empty);
        State total = empty;
        const auto places = detail::places_of_blocks(chunks_);
        const PendingError pending = attempt([&] {
            session_->for_each(places.size(), [&](std::size_t index, std::size_t worker) {
                each_in_block(places[index], [&](const T& element, std::size_t) { update(states[worker], element); });
            });
            for (const State& part : states) merge_state(total, part);
        });
        all_reduce_state(session_->communicator(), total, pending);
        return total;
    }

    /// The same elements in chunks of so many blocks, dealt out evenly over the workers if their type can travel. Nothing that is
    /// computed from them changes. Errors: InvalidSetting for chunks of no blocks.
    Partitioned repartition(std::size_t chunk_blocks) const {
        session_->communicator().agree(attempt([&] { detail::expect_chunk_blocks(chunk_blocks); }));
        const std::vector<Bytes> incoming = blocks_for_me();
        Chunks result;
        session_->communicator().agree(attempt([&] {
            const Chunks dealt = incoming.empty() ? chunks_ : chunks_from(incoming);
            const auto groups = detail::groups_of_blocks(dealt, chunk_blocks);
            result.resize(groups.size());
            session_->for_each(groups.size(), [&](std::size_t index, std::size_t) {
                std::vector<std::int64_t> ids;
                std::vector<T> values;
                for (const auto& run : groups[index])
                    for (std::size_t row = run.first; row < run.first + run.rows; ++row) {
                        ids.push_back(run.chunk->row_id(row));
                        values.push_back(run.chunk->values[row]);
                    }
                result[index] = std::make_shared<const Part>(RowIds(std::move(ids)), std::move(values));
            });
        }));
        return Partitioned(*session_, std::move(result));
    }

    /// All elements in order, on every worker. Cost: the whole sequence in memory once per worker.
    std::vector<T> collect() const {
        detail::demand_travels<T>();
        std::vector<T> all;
        Bytes mine;
        const PendingError pending = attempt([&] {
            ByteWriter writer(mine);
            writer.write(detail::rows_of(chunks_));
            for (const auto& chunk : chunks_)
                each(*chunk, [&](const T& element, std::size_t) { Wire<T>::write(element, writer); });
        });
        const std::vector<Bytes> gathered = session_->communicator().all_gather(mine, pending);
        session_->communicator().agree(attempt([&] {
            for (const Bytes& theirs : gathered) {  // shares follow the ranks
                ByteReader reader(theirs);
                for (auto left = reader.template read<std::int64_t>(); left > 0; --left)
                    all.push_back(Wire<T>::read(reader));
            }
        }));
        return all;
    }

    /// For whoever makes one: this worker's chunks.
    Partitioned(Session& session, Chunks chunks) : session_(&session), chunks_(std::move(chunks)) {}
    const Chunks& chunks() const { return chunks_; }

  private:
    using BlockPlace = detail::PlaceIn<Part>;

    static std::int64_t id_of(const BlockPlace& place) { return place.chunk->block_id(place.index); }

    /// `body(element, row of the chunk)`; an error of the library's kinds learns which block it is about.
    template <class Body>
    static void each_in_block(const BlockPlace& place, Body body) {
        const std::size_t first = place.chunk->block_first(place.index);
        std::size_t row = first;
        try {
            for (; row < first + place.chunk->block_size(place.index); ++row) body(place.chunk->values[row], row);
        } catch (Error& error) {
            if (error.place().block < 0) error.locate(place.chunk->row_id(row), id_of(place));
            throw;
        }
    }
    template <class Body>
    static void each(const Part& chunk, Body body) {
        for (std::size_t i = 0; i < chunk.block_count(); ++i) each_in_block({&chunk, i}, body);
    }
    void over_chunks(FunctionRef<void(std::size_t, const Part&)> body) const {
        session_->communicator().agree(attempt([&] {
            session_->for_each(chunks_.size(), [&](std::size_t index, std::size_t) { body(index, *chunks_[index]); });
        }));
    }

    /// What the others and this worker have of its share when shares have equally many blocks, but for one; nothing where all stays.
    std::vector<Bytes> blocks_for_me() const {
        if constexpr (Travels<T>) {
            if (session_->size() == 1) return {};
            const auto places = detail::places_of_blocks(chunks_);
            std::vector<std::int64_t> blocks;
            for (const auto& place : places) blocks.push_back(id_of(place));
            const std::vector<std::size_t> owners = detail::new_owners(*session_, blocks);
            std::vector<Bytes> outgoing(session_->size());
            const PendingError pending = attempt([&] {
                for (std::size_t i = 0; i < places.size(); ++i) {
                    ByteWriter writer(outgoing[owners[i]]);
                    each_in_block(places[i], [&](const T& element, std::size_t row) {
                        writer.write(places[i].chunk->row_id(row));
                        Wire<T>::write(element, writer);
                    });
                }
            });
            return session_->communicator().all_to_all(std::move(outgoing), pending);
        } else {
            return {};
        }
    }
    static Chunks chunks_from(const std::vector<Bytes>& incoming) {
        Chunks dealt;
        if constexpr (Travels<T>) {
            for (const Bytes& theirs : incoming) {  // shares follow the ranks, so these are in order
                if (theirs.empty()) continue;
                ByteReader reader(theirs);
                std::vector<std::int64_t> ids;
                std::vector<T> values;
                while (reader.remaining() != 0) {
                    ids.push_back(reader.template read<std::int64_t>());
                    values.push_back(Wire<T>::read(reader));
                }
                dealt.push_back(std::make_shared<const Part>(RowIds(std::move(ids)), std::move(values)));
            }
        }
        return dealt;
    }

    Session* session_;
    Chunks chunks_;
};

/// A sequence of the elements of a range, which are copied. Every worker passes the same range and keeps its contiguous share
/// of blocks, in chunks of `chunk_blocks` blocks of 4096 elements. Errors: InvalidSetting for chunks of no blocks.
template <class T>
Partitioned<std::remove_const_t<T>> partitioned(Session& session, std::span<T> elements,
                                                std::size_t chunk_blocks = detail::default_chunk_blocks) {
    using Element = std::remove_const_t<T>;
    using Part = detail::ElementChunk<Element>;
    detail::ChunkList<Part> chunks;
    session.communicator().agree(attempt([&] {
        detail::expect_chunk_blocks(chunk_blocks);
        chunks = detail::share_of_rows<Part>(
            session, elements.size(), chunk_blocks, [&](std::size_t first, std::size_t count) {
                const auto part = elements.subspan(first, count);
                return std::make_shared<const Part>(static_cast<std::int64_t>(first),
                                                    std::vector<Element>(part.begin(), part.end()));
            });
    }));
    return Partitioned<Element>(session, std::move(chunks));
}
/// The same of a vector.
template <class T>
Partitioned<T> partitioned(Session& session, const std::vector<T>& elements,
                           std::size_t chunk_blocks = detail::default_chunk_blocks) {
    return partitioned(session, std::span<const T>(elements), chunk_blocks);
}

}  // namespace partita::inline PARTITA_ABI
