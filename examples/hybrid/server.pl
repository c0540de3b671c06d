# A web server of one page, in the perl that every Debian carries. Reads the page again on SIGHUP.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $file) = @ARGV;
my $page;

sub load_page {
    open my $in, '<', $file or die "$file: $!";
    local $/;
    $page = <$in>;
    print STDERR "page loaded\n";
}

load_page();
my $reload = 0;
$SIG{HUP}  = sub { $reload = 1 };
$SIG{PIPE} = 'IGNORE';

my $listener = IO::Socket::INET->new(
    LocalPort => $port, Listen => 16, ReuseAddr => 1,
) or die "port $port: $@";

while (1) {
    my $client = $listener->accept;    # interrupted by SIGHUP
    if ($reload) { $reload = 0; load_page() }
    next unless $client;
    while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n",
        'Content-Length: ', length $page, "\r\nConnection: close\r\n\r\n", $page;
    close $client;
}
