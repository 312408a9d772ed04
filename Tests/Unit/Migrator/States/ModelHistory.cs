using MongoDB.Driver;
using Platform.Migrator.History;

namespace Platform.Tests.Unit.Migrator.States;

/// <summary>The records as one process sees them: every call can be the last, before or after it took effect.</summary>
internal sealed class ModelHistory(ModelWorld world, ModelProcess process) : IMigrationHistory
{
    public async Task<IReadOnlyList<MigrationRecord>> ReadAsync(CancellationToken cancellationToken)
    {
        await process.PassAsync();
        return await world.Records.ReadAsync(cancellationToken);
    }

    public async Task WriteAsync(MigrationRecord record, IClientSessionHandle? session, CancellationToken cancellationToken)
    {
        await process.PassAsync();
        cancellationToken.ThrowIfCancellationRequested();
        if (session is not null)
        {
            world.Transaction!.Record = record;
        }
        else
        {
            await world.RecordAsync(record);
        }

        await process.PassAsync();
    }
}
