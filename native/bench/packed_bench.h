// Products straight from packed linears: bytes per second beside what the memory gives.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace signum {
class ThreadPool;
}

namespace signum::bench {

// sizes: rows, columns. Every product reads other weights: as many copies of a linear as fill `bytes`.
void print_packed(const std::vector<std::pair<size_t, size_t>>& sizes, size_t bytes, int repeat,
                  const std::string& only, ThreadPool& pool);

}  // namespace signum::bench
