// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sequences of anything by a key that a function gives: sorted, grouped, joined.

#include <partita/data/partitioned.hpp>
#include <partita/data/result_place.hpp>

#include <algorithm>
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
        "trivially copyable or has a pt::Wire");
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

template <class T, class F>
Keyed<T, KeyOf<F, T>> keyed_here(const Partitioned<T>& sequence, F& key) {
    return {elements_here(sequence), elements_here(sequence.map(key))};
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
/// workers, or none without elements. With `together`, equal keys are never parted. A collective.
template <class Key>
std::vector<KeyCut<Key>> cuts_between(Session& session, const std::vector<Key>& keys,
                                      const std::vector<std::size_t>& order, bool together,
                                      const PendingError& pending) {
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
    std::vector<KeyCut<Key>> samples, cuts;
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
    return cuts;
}

/// The elements of all workers in the order of their keys, each worker with its part of the order.
template <class T, class F>
Keyed<T, KeyOf<F, T>> sorted_parts(const Partitioned<T>& sequence, F& key, bool together,
                                   std::size_t limit = static_cast<std::size_t>(-1)) {
    using Key = KeyOf<F, T>;
    Session& session = sequence.session();
    Keyed<T, Key> mine = keyed_here(sequence, key);
    std::vector<std::size_t> order;
    PendingError pending = attempt([&] { order = mine.order(limit); });
    if (session.size() > 1) {
        const auto cuts = cuts_between(session, mine.keys, order, together, pending);
        std::vector<Bytes> outgoing(session.size());
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
    session.communicator().agree(pending);
    return mine;
}

/// The elements of worker 0, then those of worker 1, and so on, under the ids 0, 1, …. A collective.
template <class T>
Partitioned<T> number_elements(Session& session, std::vector<T> mine) {
    using Part = ElementChunk<T>;
    const ResultPlace place = place_of_result(session, mine.size(), {});
    const auto head = static_cast<std::size_t>(place.own_start - place.start);
    if (session.size() > 1) {
        std::vector<Bytes> outgoing(session.size());
        const PendingError pending = attempt([&] {
            ByteWriter writer(outgoing[place.head_owner]);
            for (std::size_t i = 0; i < head; ++i) Wire<T>::write(mine[i], writer);
        });
        const std::vector<Bytes> incoming = session.communicator().all_to_all(std::move(outgoing), pending);
        for (std::size_t worker = session.rank() + 1; worker < session.size(); ++worker) {
            ByteReader reader(incoming[worker]);
            while (reader.remaining() != 0) mine.push_back(Wire<T>::read(reader));
        }
    }
    ChunkList<Part> chunks;
    constexpr auto chunk_rows = default_chunk_blocks * static_cast<std::size_t>(block_rows);
    for (std::size_t first = head; first < mine.size(); first += chunk_rows) {
        const auto begin = mine.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = static_cast<std::ptrdiff_t>(std::min(chunk_rows, mine.size() - first));
        chunks.push_back(std::make_shared<const Part>(place.start + static_cast<std::int64_t>(first),
                                                      std::vector<T>(begin, begin + count)));
    }
    return Partitioned<T>(session, std::move(chunks));
}

}  // namespace detail

/// The elements in the order of `key(element)`, compared by `<`, those of equal keys in the order of their ids; they get the ids
/// 0, 1, ….
///
/// A collective. Requires an order: a NaN among the keys has none. Determinism: the same for any number of threads and workers. Cost:
/// each worker sorts its elements, sends each at most once with its key, and sorts what it received.
template <class T, class F>
Partitioned<T> sort(const Partitioned<T>& sequence, F key) {
    detail::demand_travels_with_key<T, F>();
    return detail::number_elements(sequence.session(), detail::sorted_parts(sequence, key, false).elements);
}

/// The first `elements` elements of that order, all if there are fewer. Cost: a worker sends at most `elements` of its own.
template <class T, class F>
Partitioned<T> top(const Partitioned<T>& sequence, std::size_t elements, F key) {
    detail::demand_travels_with_key<T, F>();
    auto mine = detail::sorted_parts(sequence, key, false, elements).elements;
    const detail::ResultPlace place = detail::place_of_result(sequence.session(), mine.size(), {});
    const auto before = static_cast<std::size_t>(place.start);
    if (before + mine.size() > elements)
        mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(elements > before ? elements - before : 0), mine.end());
    return detail::number_elements(sequence.session(), std::move(mine));
}

/// One pair for each distinct key, in the order of keys: the key, and its elements in the order of their ids.
///
/// A collective. Determinism and cost: as of sort; all elements of a key lie on one worker.
template <class T, class F>
auto group_by(const Partitioned<T>& sequence, F key) {
    detail::demand_travels_with_key<T, F>();
    using Group = std::pair<detail::KeyOf<F, T>, std::vector<T>>;
    auto mine = detail::sorted_parts(sequence, key, true);
    std::vector<Group> groups;
    for (std::size_t i = 0; i < mine.keys.size(); ++i) {
        if (groups.empty() || groups.back().first < mine.keys[i]) groups.push_back({std::move(mine.keys[i]), {}});
        groups.back().second.push_back(std::move(mine.elements[i]));
    }
    return detail::number_elements(sequence.session(), std::move(groups));
}

/// Every element of `left` with each of `right` that has its key, as pairs, in the order of the left elements and, of one of them, in
/// the order of the right ones; the pairs get the ids 0, 1, ….
///
/// A collective. Both functions give keys of one type. Determinism: as of sort. Cost: left elements stay with their worker; the right ones
/// travel once, to the workers that their keys are dealt to, and again as far as they match a worker's keys.
template <class A, class B, class FA, class FB>
Partitioned<std::pair<A, B>> join(const Partitioned<A>& left, const Partitioned<B>& right, FA left_key, FB right_key) {
    detail::demand_travels_with_key<A, FA>();
    detail::demand_travels_with_key<B, FB>();
    using Key = detail::KeyOf<FB, B>;
    static_assert(std::is_same_v<detail::KeyOf<FA, A>, Key>, "both functions of a join must give keys of one type");
    Session& session = left.session();
    const auto mine = detail::keyed_here(left, left_key);
    auto known = detail::keyed_here(right, right_key);
    std::vector<std::size_t> order;
    PendingError pending = attempt([&] { order = known.order(); });
    const auto first_of = [](const std::vector<Key>& keys, const Key& key) {
        return static_cast<std::size_t>(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
    };
    if (session.size() > 1) {
        const auto cuts = detail::cuts_between(session, known.keys, order, true, pending);
        const auto owner_of = [&](const Key& key) {  // the number of cuts that do not lie behind it
            return static_cast<std::size_t>(
                std::upper_bound(cuts.begin(), cuts.end(), key,
                                 [](const Key& a, const auto& cut) { return a < cut.key; }) -
                cuts.begin());
        };
        std::vector<Bytes> offers(session.size()), questions(session.size()), answers(session.size());
        pending = attempt([&] {
            for (const std::size_t position : order) {
                ByteWriter writer(offers[owner_of(known.keys[position])]);
                known.write(writer, position);
            }
            std::vector<Key> asked = mine.keys;
            std::sort(asked.begin(), asked.end());
            for (std::size_t i = 0; i < asked.size(); ++i) {
                if (i > 0 && !(asked[i - 1] < asked[i])) continue;
                ByteWriter writer(questions[owner_of(asked[i])]);
                Wire<Key>::write(asked[i], writer);
            }
        });
        known = {};
        const std::vector<Bytes> offered = session.communicator().all_to_all(std::move(offers), pending);
        const std::vector<Bytes> asked = session.communicator().all_to_all(std::move(questions));
        pending = attempt([&] {
            for (const Bytes& bytes : offered) known.read(bytes);
            known.put_in_order(known.order());
            for (std::size_t worker = 0; worker < session.size(); ++worker) {
                ByteReader reader(asked[worker]);
                ByteWriter writer(answers[worker]);
                while (reader.remaining() != 0) {
                    const Key key = Wire<Key>::read(reader);
                    for (std::size_t i = first_of(known.keys, key); i < known.keys.size() && !(key < known.keys[i]);
                         ++i)
                        known.write(writer, i);
                }
            }
        });
        const std::vector<Bytes> answered = session.communicator().all_to_all(std::move(answers), pending);
        known = {};
        pending = attempt([&] {
            for (const Bytes& bytes : answered) known.read(bytes);  // owners have ascending runs of keys
        });
    } else if (!pending) {
        pending = attempt([&] { known.put_in_order(order); });
    }
    std::vector<std::pair<A, B>> pairs;
    if (!pending)
        pending = attempt([&] {
            for (std::size_t i = 0; i < mine.keys.size(); ++i) {
                const Key& key = mine.keys[i];
                for (std::size_t k = first_of(known.keys, key); k < known.keys.size() && !(key < known.keys[k]); ++k)
                    pairs.emplace_back(mine.elements[i], known.elements[k]);
            }
        });
    session.communicator().agree(pending);
    return detail::number_elements(session, std::move(pairs));
}

}  // namespace partita::inline PARTITA_ABI
