// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text files of a folder.

#include <partita/persist/atomic_file.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

namespace partita::inline PARTITA_ABI {

namespace detail {

inline bool is_folder(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace detail

/// The paths of the files in a folder whose names end in `.csv` or `.csv.gz`, in the order of their bytes; not those of folders in it.
/// Errors: FileError for a folder that cannot be read or has no such file.
inline std::vector<std::string> csv_files_in(const std::string& folder) {
    struct Close {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };
    const std::unique_ptr<DIR, Close> directory(::opendir(folder.c_str()));
    if (!directory) detail::throw_file_error("open", folder, errno);
    std::vector<std::string> paths;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        if (!name.ends_with(".csv") && !name.ends_with(".csv.gz")) continue;
        std::string path = folder + (folder.ends_with('/') ? "" : "/") + std::string(name);
        if (!detail::is_folder(path)) paths.push_back(std::move(path));
        errno = 0;
    }
    if (errno != 0) detail::throw_file_error("list", folder, errno);
    if (paths.empty()) {
        Place place;
        place.file = folder;
        throw FileError(
            folder + ": the folder has no file whose name ends in .csv or .csv.gz; give the paths of the files",
            std::move(place));
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace partita::inline PARTITA_ABI
