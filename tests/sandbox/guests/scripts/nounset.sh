set -u; echo ${a-fine}; echo $nothing; echo never
