/* randomipc1: the random program of one seed. */
#include "randomipc.h"

EACH("random/ipc-1", program, 1, 1000, 0)
