using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Collections;

/// <summary>
/// Options of collections that the backend has no place for: the validator and a view's pipeline as they were given when the backend got corrected ones, and
/// what makes a collection a time series.
/// </summary>
internal static class CollectionOptions
{
    /// <summary>The field of the validator as it was given.</summary>
    public const string Validator = "validator";

    /// <summary>The field of a view's pipeline as it was given.</summary>
    public const string Pipeline = "pipeline";

    /// <summary>The field of the time series options.</summary>
    public const string TimeSeries = "timeseries";

    /// <summary>The field of a time series' life.</summary>
    public const string ExpireAfter = "expireAfterSeconds";

    /// <summary>The field of the option that keeps images of documents before and after changes.</summary>
    public const string Images = "changeStreamPreAndPostImages";

    /// <summary>
    /// Takes the option that keeps images out of a command: the backend keeps it where nobody could tell it from what change streams need themselves.
    /// </summary>
    /// <returns>Whether the command has it.</returns>
    public static bool TakeImages(BsonDocument command, BsonDocument own)
    {
        if (!command.TryGetValue(Images, out var given))
        {
            return false;
        }

        if (given is not BsonDocument { ElementCount: 1 } options || !options.TryGetValue("enabled", out var enabled) || !enabled.IsBoolean)
        {
            throw new CommandException(ErrorCode.BadValue, $"The option '{Images}' must be a document {{enabled: <boolean>}}.");
        }

        if (command.Contains("viewOn") || own.Contains(TimeSeries))
        {
            throw new CommandException(ErrorCode.InvalidOptions, $"The option '{Images}' is not supported on a view or a time series.");
        }

        command.Remove(Images);
        if (enabled.AsBoolean)
        {
            own[Images] = options;
        }
        else
        {
            own.Remove(Images);
        }

        return true;
    }

    /// <summary>The collection as the gateway and the backend know it; empty when it has nothing special or does not exist.</summary>
    public static async ValueTask<(BsonDocument Own, BsonDocument? BackendValidator, long? Id)> GetAsync(
        BackendConnection connection, string database, string collection, CancellationToken cancellationToken)
    {
        await using var reader = await connection.Command(Statements.OptionsOfCollection)
            .With(0, database).With(1, collection).ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.IsDBNull(0)
                ? []
                : Tree(reader.GetFieldValue<byte[]>(0)), reader.IsDBNull(1) ? null : Tree(reader.GetFieldValue<byte[]>(1)), reader.GetInt64(2))
            : ([], null, null);
    }

    /// <summary>The own options of a database's collections, by name; the hidden collection is among them with none.</summary>
    public static async ValueTask<Dictionary<string, BsonDocument>> GetAllAsync(
        BackendConnection connection, string database, CancellationToken cancellationToken)
    {
        var all = new Dictionary<string, BsonDocument>(StringComparer.Ordinal);
        await using var reader = await connection.Command(Statements.CollectionOptions).With(0, database).ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            all[reader.GetString(0)] = reader.IsDBNull(1) ? [] : Tree(reader.GetFieldValue<byte[]>(1));
        }

        return all;
    }

    /// <summary>Keeps the own options of a collection.</summary>
    public static ValueTask SetAsync(
        BackendConnection connection, string database, string collection, BsonDocument options, CancellationToken cancellationToken) =>
        connection.Command(Statements.SetCollectionOptions)
            .With(0, database).With(1, collection).With<ReadOnlyMemory<byte>>(2, options.ToRaw())
            .RunAsync(cancellationToken);

    private static BsonDocument Tree(byte[] bytes) => new RawDocument(bytes).ToTree();
}
