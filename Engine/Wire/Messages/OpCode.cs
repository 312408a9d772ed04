namespace Platform.Wire.Messages;

/// <summary>Kinds of wire messages (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/).</summary>
public enum OpCode
{
    /// <summary>The answer to <see cref="Query"/>.</summary>
    Reply = 1,

    /// <summary>Legacy; clients still open a connection with it.</summary>
    Query = 2004,

    /// <summary>Another message, compressed.</summary>
    Compressed = 2012,

    /// <summary>Every modern request and reply.</summary>
    Msg = 2013,
}
