printf '1 a\n2 b\n3 c\n' > f; head -n 1 f; tail -n 1 f; head -c 3 f; cut -d' ' -f2 f; wc -c < f; tail -n +2 f; echo a:b | cut -d: -f1; basename /x/y.z .z; dirname /x/y; seq 3
