using MongoDB.Bson;
using MongoDB.Driver;
using NSubstitute;

namespace Platform.Tests.Unit.Migrator.States;

/// <summary>What of a server the runner asks for itself: whether there are transactions, and to run one.</summary>
internal sealed class ModelServer
{
    private ModelWorld? _world;

    public ModelServer()
    {
        var session = Substitute.For<IClientSessionHandle>();
        session.WithTransactionAsync(default(Func<IClientSessionHandle, CancellationToken, Task<bool>>)!, null!, CancellationToken.None).ReturnsForAnyArgs(
            call => World.TransactAsync(session, call.Arg<Func<IClientSessionHandle, CancellationToken, Task<bool>>>(), call.Arg<CancellationToken>()));
        Database = Substitute.For<IMongoDatabase>();
        Database.Client.StartSessionAsync(null!, CancellationToken.None).ReturnsForAnyArgs(session);
        Database.RunCommandAsync(default(Command<BsonDocument>)!, null!, CancellationToken.None)
            .ReturnsForAnyArgs(_ => World.HasTransactions ? new BsonDocument("setName", "rs0") : new BsonDocument());
    }

    public IMongoDatabase Database { get; }

    /// <summary>Whose server it is at present.</summary>
    public ModelWorld World
    {
        get => _world ?? throw new InvalidOperationException("The server belongs to nobody.");
        set
        {
            _world = value;
            Database.ClearReceivedCalls();
            Database.Client.ClearReceivedCalls();
        }
    }
}
