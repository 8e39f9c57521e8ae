/* randommem2: the random program of one seed. */
#include "randommem.h"

EACH("random/memory-2", program, 2, 800, 0)
