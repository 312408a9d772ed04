using Platform.Gateway.Backend;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.Commands.Collections;

/// <summary>Commands that make a collection, or the first one of a database, while others make it too.</summary>
internal static class MadeMeanwhile
{
    // Each of them means that somebody else was faster and is done; without an end, a fault of the backend would never be heard of.
    private const int Most = 100;

    /// <summary>
    /// Runs a command, and again when somebody else made the collection meanwhile: then it is seen. Of one that failed so, nothing is left. In a
    /// transaction, which would not see it either, it is run once, and the failure is a write conflict.
    /// </summary>
    public static async ValueTask<ReadOnlyMemory<byte>> RepeatAsync(CommandContext context, Func<CommandContext, ValueTask<ReadOnlyMemory<byte>>> run)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await run(context);
            }
            catch (PostgresException e) when (context.Transaction is null && attempt < Most && ErrorMapping.IsCollectionMadeMeanwhile(e))
            {
                context.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}
