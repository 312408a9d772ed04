using Platform.Caching.Catalogue;

namespace Platform.Caching.Changes;

/// <summary>
/// Counts the changes that this process knows of, by what changed. The sum of the counts of everything that an entry depends on, taken before its value is
/// read, is the entry's stamp. A caller takes the same sum when he asks, and believes an entry whose stamp is not below his: then no change that he could
/// know of came after the value was read. Counts only grow, so no value that was read before a change is ever given to who asks after it, however late it
/// comes to be stored. Thread-safe.
/// </summary>
/// <remarks>
/// What depends on several counts takes them one after the other. Two sums taken at the same time can be equal though each saw a change that the other did
/// not. As both take the counts in the same order, the change that the caller saw and the entry did not then came either before the entry's value was read,
/// or after the caller had asked: both are right.
/// </remarks>
public class ChangeStamps
{
    // Things share counts: a change of one then makes another be read anew, which is rare with so many.
    private const int Stripes = 1 << 14;

    private const string Unheard = "unheard";

    private readonly long[] _counts = new long[Stripes];

    /// <summary>Where the counts are that an entry depends on, always in the same order.</summary>
    /// <param name="cache">What it is an entry of.</param>
    /// <param name="scopes">What it depends on (<see cref="CacheKey.Scopes"/>).</param>
    public static int[] StripesOf(CacheDefinition cache, ReadOnlySpan<string> scopes)
    {
        ArgumentNullException.ThrowIfNull(cache);
        var stripes = new int[scopes.Length + (cache.TrustsTime ? 0 : 1)];
        for (var i = 0; i < scopes.Length; i++)
        {
            stripes[i] = StripeOf(scopes[i]);
        }

        if (!cache.TrustsTime)
        {
            stripes[^1] = StripeOf(Unheard);
        }

        return stripes;
    }

    /// <summary>Where the count of one scope is.</summary>
    /// <param name="scope">The scope.</param>
    public static int StripeOf(string scope) => scope.GetHashCode(StringComparison.Ordinal) & (Stripes - 1);

    /// <summary>The sum of counts: a stamp.</summary>
    /// <param name="stripes">Where the counts are.</param>
    public long Sum(ReadOnlySpan<int> stripes)
    {
        var sum = 0L;
        foreach (var stripe in stripes)
        {
            sum += Volatile.Read(ref _counts[stripe]);
        }

        return sum;
    }

    /// <summary>
    /// Anything may have changed of which nobody told, but what trusts time: whoever asks from now on believes only what is read from now on.
    /// </summary>
    public void MayHaveChanged() => Changed(Unheard);

    /// <summary>A scope has changed.</summary>
    /// <param name="scope">The scope.</param>
    public virtual void Changed(string scope) => Interlocked.Increment(ref _counts[StripeOf(scope)]);
}
