#pragma once

// Comes before every file of native code that mutants.js has changed: there
// each condition goes through Mutated(), which changes the one that MUTANT
// names.

#include <cstdlib>

inline bool Mutated(int condition, bool value) {
  static const char* const name = std::getenv("MUTANT");
  static const int mutant = name == nullptr ? -1 : std::atoi(name);
  if (mutant < 0 || mutant / 3 != condition) return value;
  return mutant % 3 == 0 ? !value : mutant % 3 == 1;
}
