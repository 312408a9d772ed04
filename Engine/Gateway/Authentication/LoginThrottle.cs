using System.Net;

namespace Platform.Gateway.Authentication;

/// <summary>
/// Makes guessing passwords slow: after some failed logins in a row, a user's attempts from that address are refused for a while that
/// doubles with each further failure. An address that fails with many users is held back as a whole. A user who has logged in well from
/// an address is never refused there: somebody else on that machine could otherwise lock out whoever works there.
/// An attempt counts from the moment its proof is about to be checked, so that many of them at once are no way around it.
/// </summary>
internal sealed class LoginThrottle(TimeProvider time)
{
    /// <summary>How many failures in a row are free for one user from one address.</summary>
    public const int FreeFailures = 5;

    /// <summary>How many failures in a row are free for an address over all users that exist.</summary>
    public const int FreeFailuresOfAddress = 50;

    /// <summary>How many users and addresses are remembered; then those that were met least recently are forgotten.</summary>
    public const int MostRecords = 10_000;

    /// <summary>The longest time of refusal.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>How long failures are remembered after the last one.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string User, IPAddress Address), Record> _users = [];
    private readonly Dictionary<IPAddress, Record> _addresses = [];
    private readonly Dictionary<(string User, IPAddress Address), DateTimeOffset> _trusted = [];

    /// <summary>How many records there are of users, addresses and who was met before.</summary>
    internal int Remembered
    {
        get
        {
            lock (_gate)
            {
                return _users.Count + _addresses.Count + _trusted.Count;
            }
        }
    }

    /// <summary>
    /// Begins an attempt. Zero: its proof may be checked, and <see cref="Succeeded"/>, <see cref="Failed"/> or <see cref="Abandoned"/> must
    /// follow. Otherwise it is refused for so long.
    /// </summary>
    public TimeSpan Begin(string user, IPAddress address)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var (ofUser, ofAddress) = (Get(_users, (user, address), now), Get(_addresses, address, now));
            if (!_trusted.ContainsKey((user, address)))
            {
                var (one, all) = (ofUser.Remaining(FreeFailures, now), ofAddress.Remaining(FreeFailuresOfAddress, now));
                if (one > TimeSpan.Zero || all > TimeSpan.Zero)
                {
                    return one > all ? one : all;
                }
            }

            ofUser.Pending++;
            ofAddress.Pending++;
            return TimeSpan.Zero;
        }
    }

    /// <summary>The attempt failed.</summary>
    /// <param name="user">Who was to be logged in.</param>
    /// <param name="address">From where.</param>
    /// <param name="exists">Whether there is such a user: a made-up name gives nothing away, so it holds nobody else back.</param>
    public void Failed(string user, IPAddress address, bool exists)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            End(_users, (user, address), now).Fail(FreeFailures, now);
            var ofAddress = End(_addresses, address, now);
            if (exists && !_trusted.ContainsKey((user, address)))
            {
                ofAddress.Fail(FreeFailuresOfAddress, now);
            }
        }
    }

    /// <summary>The attempt succeeded.</summary>
    public void Succeeded(string user, IPAddress address)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            End(_users, (user, address), now).Clear();
            End(_addresses, address, now);
            if (_trusted.Count >= MostRecords)
            {
                foreach (var key in _trusted.OrderBy(t => t.Value).Take(MostRecords / 2).Select(t => t.Key).ToList())
                {
                    _trusted.Remove(key);
                }
            }

            _trusted[(user, address)] = now;
        }
    }

    /// <summary>The attempt came to no result.</summary>
    public void Abandoned(string user, IPAddress address)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            End(_users, (user, address), now);
            End(_addresses, address, now);
        }
    }

    private static Record End<TKey>(Dictionary<TKey, Record> records, TKey key, DateTimeOffset now)
        where TKey : notnull
    {
        var record = Get(records, key, now);
        record.Pending = Math.Max(0, record.Pending - 1);
        return record;
    }

    private static Record Get<TKey>(Dictionary<TKey, Record> records, TKey key, DateTimeOffset now)
        where TKey : notnull
    {
        if (!records.TryGetValue(key, out var record))
        {
            if (records.Count >= MostRecords)
            {
                foreach (var old in records.Where(r => r.Value.Pending == 0).OrderBy(r => r.Value.Seen).Take(MostRecords / 2).Select(r => r.Key).ToList())
                {
                    records.Remove(old);
                }
            }

            records.Add(key, record = new Record());
        }
        else if (record.Pending == 0 && record.Seen + Memory < now)
        {
            record.Clear();
        }

        record.Seen = now;
        return record;
    }

    private sealed class Record
    {
        private int _failures;
        private DateTimeOffset _until;

        public int Pending { get; set; }

        public DateTimeOffset Seen { get; set; }

        /// <summary>How long nothing more may be tried. Beyond the free failures one attempt is made at a time.</summary>
        public TimeSpan Remaining(int free, DateTimeOffset now) =>
            _until > now ? _until - now
            : Pending > 0 && _failures + Pending >= free ? s_first
            : TimeSpan.Zero;

        public void Fail(int free, DateTimeOffset now)
        {
            _failures++;
            if (_failures >= free)
            {
                var pause = s_first * Math.Pow(2, Math.Min(_failures - free, 10));
                _until = now + (pause < Longest ? pause : Longest);
            }
        }

        public void Clear() => (_failures, _until) = (0, default);
    }
}
