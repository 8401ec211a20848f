mkdir -p t/u; touch t/1 t/u/2; find t -type f | sort; find t -name 2 -delete; ls t/u; printf 'a b\nc\n' | xargs -n 1 echo -
