namespace Platform.Data.Documents;

/// <summary>Whether a user may sign in.</summary>
public enum UserStatus
{
    /// <summary>May sign in.</summary>
    Active,

    /// <summary>Was asked to join and has not answered.</summary>
    Invited,

    /// <summary>May not sign in.</summary>
    Disabled,
}
