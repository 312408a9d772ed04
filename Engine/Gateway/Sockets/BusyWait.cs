using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Sockets;

/// <summary>
/// Looks again and again whether bytes have come instead of sleeping until the system says so: falling asleep and being woken costs
/// more than most commands, above all on virtual machines. Only for a client that is alone, since the thread that looks serves other
/// connections, too; only for <see cref="GatewayOptions.BusyWait"/>; and more and more seldom on a connection where it does not pay.
/// </summary>
internal sealed class BusyWait
{
    /// <summary>So many commands in a row of one client mean that it is alone.</summary>
    public const int Alone = 16;

    /// <summary>One that never waits.</summary>
    public static readonly BusyWait None = new(TimeSpan.Zero);

    private readonly long _limit;

    // Both are written without a lock: what a lost update costs is one wait too many, or one too few.
    private long _client;
    private volatile int _inARow;

    /// <summary>Reads how long a wait may take. With a single processor there is none: whoever is waited for needs it.</summary>
    public BusyWait(IOptions<GatewayOptions> options)
        : this(Environment.ProcessorCount > 1 ? options.Value.BusyWait : TimeSpan.Zero)
    {
    }

    /// <summary>Makes one whose waits take no longer than <paramref name="limit"/>; zero: there are none.</summary>
    public BusyWait(TimeSpan limit) => _limit = (long)(limit.TotalSeconds * Stopwatch.Frequency);

    /// <summary>A command of this client has come.</summary>
    public void Came(long client)
    {
        if (_client != client)
        {
            _client = client;
            _inARow = 0;
        }
        else if (_inARow < Alone)
        {
            _inARow++;
        }
    }

    /// <summary>
    /// Waits until something can be read, for a moment at the most. Returns whether it can: when not, the caller sleeps as it would have.
    /// A socket that was closed meanwhile counts as one without bytes; reading it says why.
    /// </summary>
    public bool UntilReadable(Socket socket, ref Patience patience)
    {
        if (_limit == 0 || _inARow < Alone || !patience.Allows())
        {
            return false;
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            do
            {
                if (socket.Poll(0, SelectMode.SelectRead))
                {
                    patience.Paid();
                    return true;
                }

                // Whoever is waited for may have this processor.
                Thread.Yield();
            }
            while (_inARow >= Alone && Stopwatch.GetTimestamp() - started < _limit);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }

        patience.Failed();
        return false;
    }

    /// <summary>What waiting on one connection has brought so far: after each failure in a row twice as many waits are left out, up to 255.</summary>
    public struct Patience
    {
        private const int MostLeftOut = 255;
        private int _leftOut;
        private int _remaining;

        /// <summary>Whether to wait this time.</summary>
        public bool Allows()
        {
            if (_remaining == 0)
            {
                return true;
            }

            _remaining--;
            return false;
        }

        /// <summary>The bytes came in time.</summary>
        public void Paid() => _leftOut = 0;

        /// <summary>They did not.</summary>
        public void Failed() => _remaining = _leftOut = Math.Min((_leftOut * 2) + 1, MostLeftOut);
    }
}
