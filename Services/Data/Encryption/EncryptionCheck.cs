using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Mongo.Connections;

namespace Platform.Data.Encryption;

/// <summary>Keeps a program without the right master key away from a database that holds encrypted fields.</summary>
/// <param name="configured">What the program is to encrypt with.</param>
/// <param name="database">The database.</param>
/// <param name="logger">Where it is told that nothing is encrypted.</param>
internal sealed partial class EncryptionCheck(ConfiguredEncryption configured, IMongoDatabase database, ILogger<EncryptionCheck> logger) : IDatabaseCheck
{
    private const int NotAuthorized = 13;

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (configured.Encryption is { } encryption)
        {
            try
            {
                await encryption.RequireUsableAsync(cancellationToken);
            }
            catch (FieldEncryptionException exception)
            {
                throw new DatabaseRefusedException(exception.Message, exception);
            }
            catch (MongoCommandException exception) when (exception.Code == NotAuthorized)
            {
                // A user as an earlier version made it: waiting does not give it the right.
                throw new DatabaseRefusedException($"The user may not read {CollectionNames.KeyVault}: run 'migrator access apply'.", exception);
            }

            return;
        }

        if (await HasKeysAsync(cancellationToken))
        {
            throw new DatabaseRefusedException(
                $"The database '{database.DatabaseNamespace.DatabaseName}' holds encrypted fields, and this program has no master key: set "
                    + $"{EncryptionOptions.Section}:{nameof(EncryptionOptions.MasterKeyFile)} to the file that other programs have.");
        }

        Plain(logger, $"{EncryptionOptions.Section}:{nameof(EncryptionOptions.MasterKeyFile)}");
    }

    private async Task<bool> HasKeysAsync(CancellationToken cancellationToken)
    {
        try
        {
            var keys = database.GetCollection<BsonDocument>(CollectionNames.KeyVault).ForDecisions();
            return await keys.Find(new BsonDocument()).Limit(1).AnyAsync(cancellationToken);
        }
        catch (MongoCommandException exception) when (exception.Code == NotAuthorized)
        {
            // A user as an earlier version made it: nothing encrypts there before 'access apply' of this one.
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Personal data is stored plain: {Key} is not set")]
    private static partial void Plain(ILogger logger, string key);
}
