namespace Platform.Mongo.Connections;

/// <summary>What a program asks of a database before it works with it, once it answers.</summary>
public interface IDatabaseCheck
{
    /// <summary>Looks whether the program can work with the database.</summary>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="DatabaseRefusedException">It cannot.</exception>
    Task CheckAsync(CancellationToken cancellationToken);
}
