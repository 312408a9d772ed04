using MongoDB.Bson;

namespace Platform.Mongo.Changes;

/// <summary>Hears what <see cref="ChangeFollower"/> sees. It is called by one after the other; what it throws is as if the stream had been lost.</summary>
public interface IChangeListener
{
    /// <summary>From now on every change is told.</summary>
    /// <param name="missed">Whether there may have been changes before that were not: always at the first time.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    Task BeganAsync(bool missed, CancellationToken cancellationToken);

    /// <summary>Documents or collections have changed.</summary>
    /// <param name="events">The events, as the pipeline made them, in the order in which the changes were committed.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    Task ChangedAsync(IReadOnlyList<BsonDocument> events, CancellationToken cancellationToken);

    /// <summary>Changes are not told any more, until <see cref="BeganAsync"/> says otherwise: the server is away, or has no change streams.</summary>
    void Ended();
}
