echo 1 > a; echo 2 > b; mv -n a b; cat a b; mv -f a b; cat b; ls a; mkdir d; mv b d; ls d; cp -r d e; cat e/b; rm d; rmdir d; echo $?
