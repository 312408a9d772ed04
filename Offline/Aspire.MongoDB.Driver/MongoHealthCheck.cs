using Microsoft.Extensions.Diagnostics.HealthChecks;
using global::MongoDB.Bson;
using global::MongoDB.Driver;

namespace Aspire.MongoDB.Driver;

/// <summary>Pings the server that the client selects for writes (or reads, as its read preference says).</summary>
internal sealed class MongoHealthCheck(Func<IMongoClient> client, string? database) : IHealthCheck
{
    private static readonly BsonDocumentCommand<BsonDocument> Ping = new(new BsonDocument("ping", 1));

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await client().GetDatabase(database ?? "admin").RunCommandAsync(Ping, cancellationToken: cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception);
        }
    }
}
