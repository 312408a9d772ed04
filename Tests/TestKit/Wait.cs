using System.Diagnostics;

namespace Platform.Tests.TestKit;

/// <summary>Waits for a state by asking for it again and again, with a limit. Tests and benchmarks know no other way.</summary>
internal static class Wait
{
    /// <summary>How long a state may take: long even for a busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Short at first, since most states are reached soon; longer in the end, since asking takes processor time from who works on it.
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits until a state is reached.</summary>
    /// <param name="isReached">Whether it is.</param>
    /// <param name="state">The state, for the message: "the pool is empty".</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">It was not reached within <see cref="Patience"/>.</exception>
    public static Task UntilAsync(Func<bool> isReached, string state, CancellationToken cancellationToken) =>
        UntilAsync(() => Task.FromResult(isReached()), () => state, Patience, cancellationToken);

    /// <inheritdoc cref="UntilAsync(Func{bool}, string, CancellationToken)"/>
    public static Task UntilAsync(Func<Task<bool>> isReached, string state, CancellationToken cancellationToken) =>
        UntilAsync(isReached, () => state, Patience, cancellationToken);

    /// <summary>Waits until a state is reached.</summary>
    /// <param name="isReached">Whether it is.</param>
    /// <param name="state">The state, and what is there instead, for the message.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">It was not reached in that time.</exception>
    public static async Task UntilAsync(Func<Task<bool>> isReached, Func<string> state, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var pause = s_firstPause;
        while (!await isReached())
        {
            if (Stopwatch.GetElapsedTime(started) > patience)
            {
                throw new TimeoutException($"Not reached within {patience}: {state()}");
            }

            await Task.Delay(pause, cancellationToken);
            pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
        }
    }
}
