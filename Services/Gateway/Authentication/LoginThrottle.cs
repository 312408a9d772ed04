using System.Collections.Concurrent;
using System.Net;

namespace Platform.Gateway.Authentication;

/// <summary>
/// Makes guessing passwords slow: after some failed logins in a row, a user's attempts from that address are refused for a while that
/// doubles with each further failure. A login that succeeds clears the record. An address that fails with many names is held back as a whole.
/// </summary>
internal sealed class LoginThrottle(TimeProvider time)
{
    /// <summary>How many failures in a row are free for one user from one address.</summary>
    public const int FreeFailures = 5;

    /// <summary>How many failures in a row are free for an address over all names.</summary>
    public const int FreeFailuresOfAddress = 50;

    /// <summary>The longest time of refusal.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private const int MostRecords = 10_000;
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<(string User, IPAddress Address), Record> _records = new();

    /// <summary>How long attempts of this user from this address are still refused; zero when they are not.</summary>
    public TimeSpan Remaining(string user, IPAddress address)
    {
        var now = time.GetUtcNow();
        var until = Until((user, address));
        var all = Until(("", address));
        until = until > all ? until : all;
        return until > now ? until - now : TimeSpan.Zero;

        DateTimeOffset Until((string, IPAddress) key) => _records.TryGetValue(key, out var record) ? record.Until : DateTimeOffset.MinValue;
    }

    /// <summary>A login failed.</summary>
    public void Failed(string user, IPAddress address)
    {
        Count((user, address), FreeFailures);
        Count(("", address), FreeFailuresOfAddress);
    }

    /// <summary>A login succeeded.</summary>
    public void Succeeded(string user, IPAddress address)
    {
        _records.TryRemove((user, address), out _);
        _records.TryRemove(("", address), out _);
    }

    private void Count((string User, IPAddress Address) key, int free)
    {
        var now = time.GetUtcNow();
        if (_records.Count >= MostRecords)
        {
            foreach (var (old, record) in _records)
            {
                if (record.Until < now)
                {
                    _records.TryRemove(old, out _);
                }
            }
        }

        _records.AddOrUpdate(key, _ => new Record(1, DateTimeOffset.MinValue), (_, record) =>
        {
            var failures = record.Failures + 1;
            var over = Math.Min(failures - free, 10);
            var pause = over < 0 ? TimeSpan.Zero : s_first * Math.Pow(2, over);
            return new Record(failures, over < 0 ? DateTimeOffset.MinValue : now + (pause < Longest ? pause : Longest));
        });
    }

    private sealed record Record(int Failures, DateTimeOffset Until);
}
