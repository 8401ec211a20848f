umask 027; touch f; mkdir d; stat -c '%a %n' f d; chmod u+x,g-r f; stat -c %a f; install -m 0640 f g; stat -c %a g; mkdir -p p/q/r; rm -r p; ls
