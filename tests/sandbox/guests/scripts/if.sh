for i in 1 2 3; do if [ $i -eq 2 ]; then echo two; elif [ $i = 3 ]; then echo three; else echo one; fi; done
