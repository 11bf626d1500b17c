// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sequences of anything by a key that a function gives: sorted, grouped, joined.

#include <partita/data/join/settings.hpp>
#include <partita/data/partitioned.hpp>
#include <partita/data/result_place.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

template <class F, class T>
using KeyOf = std::decay_t<std::invoke_result_t<F&, const T&>>;

template <class T, class F>
constexpr void demand_travels_with_key() {
    demand_travels<T>();
    static_assert(
        Travels<KeyOf<F, T>>,
        "keys must travel between workers: let the function give a number, a std::string, or another type that is "
        "trivially copyable or has a pt::Wire, and no view: a std::string for a std::string_view or a pt::Category");
    static_assert(
        requires(const KeyOf<F, T>& a, const KeyOf<F, T>& b) { a < b ? true : false; },
        "keys are compared by a < b, which must be defined and order them");
}

template <class T>
std::vector<T> elements_here(const Partitioned<T>& sequence) {
    std::vector<T> all;
    for (const auto& chunk : sequence.chunks()) all.insert(all.end(), chunk->values.begin(), chunk->values.end());
    return all;
}

/// Elements of this worker with their keys.
template <class T, class Key>
struct Keyed {
    std::vector<T> elements;
    std::vector<Key> keys;

    /// The first `limit` positions in the order of their keys, those of equal keys in their own.
    std::vector<std::size_t> order(std::size_t limit = static_cast<std::size_t>(-1)) const {
        std::vector<std::size_t> positions(keys.size());
        for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = i;
        const auto before = [this](std::size_t a, std::size_t b) {
            if (keys[a] < keys[b]) return true;
            return !(keys[b] < keys[a]) && a < b;
        };
        if (limit < positions.size()) {
            std::nth_element(positions.begin(), positions.begin() + static_cast<std::ptrdiff_t>(limit), positions.end(),
                             before);
            positions.resize(limit);
        }
        std::sort(positions.begin(), positions.end(), before);
        return positions;
    }

    void put_in_order(const std::vector<std::size_t>& positions) {
        Keyed ordered;
        for (const std::size_t position : positions) {
            ordered.elements.push_back(std::move(elements[position]));
            ordered.keys.push_back(std::move(keys[position]));
        }
        *this = std::move(ordered);
    }

    void write(ByteWriter& writer, std::size_t position) const {
        Wire<T>::write(elements[position], writer);
        Wire<Key>::write(keys[position], writer);
    }
    void read(const Bytes& bytes) {
        ByteReader reader(bytes);
        while (reader.remaining() != 0) {
            elements.push_back(Wire<T>::read(reader));
            keys.push_back(Wire<Key>::read(reader));
        }
    }
};

/// NaN, and what has it among what it compares, is not equal to itself.
template <class Key>
void demand_order(const Key& key, const Key& itself) {
    if constexpr (requires { key == itself ? true : false; })
        if (!(key == itself))
            throw NonFiniteValue(
                "the key of an element is NaN, which has no place in an order; filter such elements out, or let "
                "the function give another key for them");
}

/// A collective.
template <class T, class F>
Keyed<T, KeyOf<F, T>> keyed_here(const Partitioned<T>& sequence, F& key) {
    using Key = KeyOf<F, T>;
    const auto keys = sequence.map([&key](const T& element) {
        Key here = key(element);
        demand_order(here, here);
        return here;
    });
    Keyed<T, Key> mine;
    sequence.session().communicator().agree(attempt([&] { mine = {elements_here(sequence), elements_here(keys)}; }));
    return mine;
}

/// A place in the order of all workers' elements: a key, and of equal ones whose and which.
template <class Key>
struct KeyCut {
    Key key;
    std::uint64_t worker = 0, position = 0;

    friend bool operator<(const KeyCut& a, const KeyCut& b) {
        if (a.key < b.key) return true;
        if (b.key < a.key) return false;
        return std::pair(a.worker, a.position) < std::pair(b.worker, b.position);
    }
};

/// Where to cut the elements of all workers, each worker's in the given order, into parts of about equal size: one cut less than
/// workers, or none without elements. With `together`, equal keys are never parted. A collective, into which `pending` goes; what
/// fails behind it comes back there.
template <class Key>
std::vector<KeyCut<Key>> cuts_between(Session& session, const std::vector<Key>& keys,
                                      const std::vector<std::size_t>& order, bool together, PendingError& pending) {
    const std::vector<std::int64_t> counts = counts_of_workers(session, order.size(), pending);
    std::size_t total = 0;
    for (const std::int64_t count : counts) total += static_cast<std::size_t>(count);
    const std::size_t step = std::max<std::size_t>(1, total / (32 * session.size()));
    Bytes mine;
    const PendingError failed = attempt([&] {
        ByteWriter writer(mine);
        for (std::size_t i = step * (2 * session.rank() + 1) / (2 * session.size()); i < order.size(); i += step) {
            Wire<Key>::write(keys[order[i]], writer);
            writer.write(static_cast<std::uint64_t>(order[i]));
        }
    });
    const std::vector<Bytes> gathered = session.communicator().all_gather(mine, failed);
    std::vector<KeyCut<Key>> cuts;
    pending = attempt([&] {
        std::vector<KeyCut<Key>> samples;
        for (std::size_t worker = 0; worker < gathered.size(); ++worker) {
            ByteReader reader(gathered[worker]);
            while (reader.remaining() != 0) {
                Key key = Wire<Key>::read(reader);
                samples.push_back({std::move(key), worker, reader.template read<std::uint64_t>()});
            }
        }
        std::sort(samples.begin(), samples.end());
        for (std::size_t worker = 1; worker < session.size() && !samples.empty(); ++worker) {
            cuts.push_back(samples[worker * samples.size() / session.size()]);
            if (together) cuts.back().worker = cuts.back().position = 0;
        }
    });
    return cuts;
}

/// The elements of all workers in the order of their keys, each worker with its part of the order. A collective; what fails behind it
/// goes into `pending`, for the next.
template <class T, class F>
Keyed<T, KeyOf<F, T>> sorted_parts(const Partitioned<T>& sequence, F& key, bool together, PendingError& pending,
                                   std::size_t limit = static_cast<std::size_t>(-1)) {
    using Key = KeyOf<F, T>;
    Session& session = sequence.session();
    Keyed<T, Key> mine = keyed_here(sequence, key);
    std::vector<std::size_t> order;
    pending = attempt([&] { order = mine.order(limit); });
    if (session.size() > 1) {
        const auto cuts = cuts_between(session, mine.keys, order, together, pending);
        std::vector<Bytes> outgoing(session.size());
        if (!pending)
            pending = attempt([&] {
                std::size_t to = 0;
                for (const std::size_t position : order) {
                    const KeyCut<Key> here{mine.keys[position], session.rank(), position};
                    while (to < cuts.size() && !(here < cuts[to])) ++to;
                    ByteWriter writer(outgoing[to]);
                    mine.write(writer, position);
                }
            });
        mine = {};
        const std::vector<Bytes> incoming = session.communicator().all_to_all(std::move(outgoing), pending);
        pending = attempt([&] {
            for (const Bytes& bytes : incoming) mine.read(bytes);
            order = mine.order();
        });
    }
    if (!pending) pending = attempt([&] { mine.put_in_order(order); });
    return mine;
}

/// The elements of worker 0, then those of worker 1, and so on, under the ids 0, 1, …. A collective, into which `pending` goes.
template <class T>
Partitioned<T> number_elements(Session& session, std::vector<T> mine, const PendingError& pending) {
    using Part = ElementChunk<T>;
    const ResultPlace place = place_of_result(session, mine.size(), pending);
    const auto head = static_cast<std::size_t>(place.own_start - place.start);
    std::vector<Bytes> incoming;
    if (session.size() > 1) {
        std::vector<Bytes> outgoing(session.size());
        const PendingError failed = attempt([&] {
            if (head == 0) return;
            ByteWriter writer(outgoing[place.head_owner]);
            writer.write(static_cast<std::uint64_t>(head));
            for (std::size_t i = 0; i < head; ++i) Wire<T>::write(mine[i], writer);
        });
        incoming = session.communicator().all_to_all(std::move(outgoing), failed);
    }
    ChunkList<Part> chunks;
    session.communicator().agree(attempt([&] {
        for (const Bytes& bytes : incoming) {
            if (bytes.empty()) continue;
            ByteReader reader(bytes);
            for (auto left = reader.template read<std::uint64_t>(); left > 0; --left)
                mine.push_back(Wire<T>::read(reader));
        }
        constexpr auto chunk_rows = default_chunk_blocks * static_cast<std::size_t>(block_rows);
        for (std::size_t first = head; first < mine.size(); first += chunk_rows) {
            const auto begin = std::make_move_iterator(mine.begin() + static_cast<std::ptrdiff_t>(first));
            const auto count = static_cast<std::ptrdiff_t>(std::min(chunk_rows, mine.size() - first));
            chunks.push_back(std::make_shared<const Part>(place.start + static_cast<std::int64_t>(first),
                                                          std::vector<T>(begin, begin + count)));
        }
    }));
    return Partitioned<T>(session, std::move(chunks));
}

/// Elements with their keys in the order of these, to be found by them.
template <class T, class Key>
struct Known : Keyed<T, Key> {
    /// Calls `visit(position)` for the elements of a key, in their order.
    template <class Visit>
    void visit(const Key& key, Visit visit) const {
        auto at =
            static_cast<std::size_t>(std::lower_bound(this->keys.begin(), this->keys.end(), key) - this->keys.begin());
        for (; at < this->keys.size() && !(key < this->keys[at]); ++at) visit(at);
    }
};

/// The elements of all workers on every worker, in the order of their keys, if they take at most so many bytes. A collective; what
/// fails behind it goes into `pending`.
template <class T, class Key>
std::optional<Known<T, Key>> known_everywhere(Session& session, Keyed<T, Key>& right, std::size_t limit_bytes,
                                              PendingError& pending) {
    if (session.size() == 1) {
        Known<T, Key> known{std::move(right)};
        pending = attempt([&] { known.put_in_order(known.order()); });
        return known;
    }
    Bytes mine;
    pending = attempt([&] {
        ByteWriter writer(mine);
        for (std::size_t i = 0; i < right.keys.size() && mine.size() <= limit_bytes; ++i) right.write(writer, i);
    });
    auto bytes = static_cast<std::int64_t>(mine.size());
    session.communicator().all_reduce(std::span(&bytes, 1), Reduction::sum, pending);
    if (static_cast<std::uint64_t>(bytes) > limit_bytes) return std::nullopt;
    const std::vector<Bytes> gathered = session.communicator().all_gather(mine);
    Known<T, Key> known;
    pending = attempt([&] {
        for (const Bytes& theirs : gathered) known.read(theirs);  // shares follow the ranks
        known.put_in_order(known.order());
    });
    return known;
}

/// Those of the elements of all workers whose keys this worker asks for, in the order of their keys: each key's worker gathers its
/// elements and answers. A collective; what fails behind it goes into `pending`.
template <class T, class Key>
Known<T, Key> known_to_askers(Session& session, std::vector<Key> asked, Keyed<T, Key> right, PendingError& pending) {
    std::vector<std::size_t> order;
    pending = attempt([&] { order = right.order(); });
    const auto cuts = cuts_between(session, right.keys, order, true, pending);
    const auto owner_of = [&](const Key& key) {  // the number of cuts that do not lie behind it
        return static_cast<std::size_t>(
            std::upper_bound(cuts.begin(), cuts.end(), key, [](const Key& a, const auto& cut) { return a < cut.key; }) -
            cuts.begin());
    };
    std::vector<Bytes> offers(session.size()), questions(session.size()), answers(session.size());
    if (!pending)
        pending = attempt([&] {
            for (const std::size_t position : order) {
                ByteWriter writer(offers[owner_of(right.keys[position])]);
                right.write(writer, position);
            }
            std::sort(asked.begin(), asked.end());
            for (std::size_t i = 0; i < asked.size(); ++i) {
                if (i > 0 && !(asked[i - 1] < asked[i])) continue;
                ByteWriter writer(questions[owner_of(asked[i])]);
                Wire<Key>::write(asked[i], writer);
            }
        });
    right = {};
    const std::vector<Bytes> offered = session.communicator().all_to_all(std::move(offers), pending);
    const std::vector<Bytes> questioned = session.communicator().all_to_all(std::move(questions));
    Known<T, Key> known;
    pending = attempt([&] {
        for (const Bytes& bytes : offered) known.read(bytes);
        known.put_in_order(known.order());
        for (std::size_t worker = 0; worker < session.size(); ++worker) {
            ByteReader reader(questioned[worker]);
            ByteWriter writer(answers[worker]);
            while (reader.remaining() != 0)
                known.visit(Wire<Key>::read(reader), [&](std::size_t at) { known.write(writer, at); });
        }
    });
    const std::vector<Bytes> answered = session.communicator().all_to_all(std::move(answers), pending);
    known = {};
    pending = attempt([&] {
        for (const Bytes& bytes : answered) known.read(bytes);  // owners have ascending runs of keys
    });
    return known;
}

}  // namespace detail

/// The elements in the order of `key(element)`, compared by `<`, those of equal keys in the order of their ids; they get the ids
/// 0, 1, ….
///
/// A collective. Requires that `<` orders the keys. Errors, on all workers: NonFiniteValue for a key that is not equal to itself, as
/// NaN is not, or a pair with one; what the functions, `<` and a `pt::Wire` throw. Determinism: the same for any number of threads
/// and workers. Cost: each worker sorts its elements, sends each at most once with its key, and sorts what it received.
template <class T, class F>
Partitioned<T> sort(const Partitioned<T>& sequence, F key) {
    detail::demand_travels_with_key<T, F>();
    PendingError pending;
    auto mine = detail::sorted_parts(sequence, key, false, pending);
    return detail::number_elements(sequence.session(), std::move(mine.elements), pending);
}

/// The first `elements` elements of that order, all if there are fewer. Cost: a worker sends at most `elements` of its own.
template <class T, class F>
Partitioned<T> top(const Partitioned<T>& sequence, std::size_t elements, F key) {
    detail::demand_travels_with_key<T, F>();
    PendingError pending;
    auto mine = detail::sorted_parts(sequence, key, false, pending, elements).elements;
    const detail::ResultPlace place = detail::place_of_result(sequence.session(), mine.size(), pending);
    const auto before = static_cast<std::size_t>(place.start);
    if (before + mine.size() > elements)
        mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(elements > before ? elements - before : 0), mine.end());
    return detail::number_elements(sequence.session(), std::move(mine), {});
}

/// One pair for each distinct key, in the order of keys: the key, and its elements in the order of their ids.
///
/// A collective. Determinism, errors and cost: as of sort; all elements of a key lie on one worker.
template <class T, class F>
auto group_by(const Partitioned<T>& sequence, F key) {
    detail::demand_travels_with_key<T, F>();
    using Group = std::pair<detail::KeyOf<F, T>, std::vector<T>>;
    PendingError pending;
    auto mine = detail::sorted_parts(sequence, key, true, pending);
    std::vector<Group> groups;
    if (!pending)
        pending = attempt([&] {
            for (std::size_t i = 0; i < mine.keys.size(); ++i) {
                if (groups.empty() || groups.back().first < mine.keys[i])
                    groups.push_back({std::move(mine.keys[i]), {}});
                groups.back().second.push_back(std::move(mine.elements[i]));
            }
        });
    return detail::number_elements(sequence.session(), std::move(groups), pending);
}

/// Every element of `left` with each of `right` that has its key, as pairs, in the order of the left elements and, of one of them, in
/// the order of the right ones; the pairs get the ids 0, 1, ….
///
/// A collective. Both functions give keys of one type. Determinism and errors: as of sort, and the same either way. Cost: left elements
/// stay with their worker; few right ones, by what they and their keys take as messages (see JoinSettings), go to every
/// worker, and many travel once, to the workers that their keys are dealt to, and again as far as they match a worker's keys.
template <class A, class B, class FA, class FB>
Partitioned<std::pair<A, B>> join(const Partitioned<A>& left, const Partitioned<B>& right, FA left_key, FB right_key,
                                  const JoinSettings& settings = {}) {
    detail::demand_travels_with_key<A, FA>();
    detail::demand_travels_with_key<B, FB>();
    using Key = detail::KeyOf<FB, B>;
    static_assert(std::is_same_v<detail::KeyOf<FA, A>, Key>, "both functions of a join must give keys of one type");
    Session& session = left.session();
    const auto mine = detail::keyed_here(left, left_key);
    auto theirs = detail::keyed_here(right, right_key);
    PendingError pending;
    auto known = detail::known_everywhere(session, theirs, settings.broadcast_bytes, pending);
    if (!known) known = detail::known_to_askers(session, mine.keys, std::move(theirs), pending);
    std::vector<std::pair<A, B>> pairs;
    if (!pending)
        pending = attempt([&] {
            for (std::size_t i = 0; i < mine.keys.size(); ++i)
                known->visit(mine.keys[i],
                             [&](std::size_t at) { pairs.emplace_back(mine.elements[i], known->elements[at]); });
        });
    return detail::number_elements(session, std::move(pairs), pending);
}

}  // namespace partita::inline PARTITA_ABI
