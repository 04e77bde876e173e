# Rails' Active Record. A view has no primary key in the catalogue, so the classes say what it is; for upserts there is a class of the table.
require 'active_record'

ActiveRecord::Base.establish_connection(adapter: 'postgresql', host: ENV['CLIENT_HOST'], port: ENV['CLIENT_PORT'],
                                        database: ENV['CLIENT_DATABASE'], username: 'lamps_web')

class Account < ActiveRecord::Base
  self.table_name = 'account'
  self.primary_key = 'id'
end

class Purchase < ActiveRecord::Base
  self.table_name = 'purchase'
  self.primary_key = 'id'
  belongs_to :account
end

class PurchaseTable < ActiveRecord::Base
  self.table_name = 'lamps.purchase'
end

def signed_in(login)
  ActiveRecord::Base.transaction do
    ActiveRecord::Base.connection.exec_query('SELECT entitle.sign_in($1)', 'sign in', [login])
    yield
  end
end

def tell(what)
  answer = ActiveRecord::Base.transaction(requires_new: true) { yield }
  puts "  #{what}: #{answer.to_s.empty? ? 'none' : answer}"
rescue ActiveRecord::RecordNotFound
  puts "  #{what}: does not exist"
rescue ActiveRecord::StatementInvalid => e
  puts "  #{what}: #{e.cause.result.error_field(PG::PG_DIAG_SQLSTATE)}"
rescue ArgumentError => e
  puts "  #{what}: #{e.message}"
end

%w[iris@lamps.example omar@lamps.example ken@lamps.example ada@birch.example cleo@cedar.example].each do |login|
  puts login
  signed_in(login) do
    tell('accounts') { Account.order(:company).pluck(:company).join(' ') }
    tell('joined') { Purchase.includes(:account).order(id: :desc).limit(2).map { |p| "#{p.id}=#{p.account.company}" }.join(' ') }
    tell('sum') { Purchase.joins(:account).where('total > 20').sum(:total).to_i }
    tell('locked') { Purchase.lock.where('total > 100').to_a.size }
    tell('got 3') { Purchase.find(3).total.to_i }
  end
end

puts 'omar writes'
signed_in('omar@lamps.example') do
  account = Account.first
  row = ->(id, total) { { id: id, account_id: account.id, branch_id: account.branch_id, placed_at: Time.utc(2026, 2, 2, 9), total: total } }
  tell('created') { Purchase.create!(row.call(201, 1)).total.to_i }
  tell('changed') { Purchase.find(2).update!(total: 41) }
  tell('deleted') { Purchase.find(2).destroy!.id }
  tell('find_or_create_by, new') { Purchase.find_or_create_by!(id: 202) { |p| p.assign_attributes(row.call(202, 2)) }.total.to_i }
  tell('find_or_create_by, another\'s') { Purchase.find_or_create_by!(id: 3) { |p| p.assign_attributes(row.call(3, 2)) }.total.to_i }
  tell('upsert_all on the view') { Purchase.upsert_all([row.call(2, 42)]).length }
  tell('upsert_all on the table') { PurchaseTable.upsert_all([row.call(2, 42), row.call(203, 3)]).length }
  tell('upsert_all on the table, another\'s') { PurchaseTable.upsert_all([row.call(3, 42)]).length }
  tell('insert_all on the table') { PurchaseTable.insert_all([row.call(2, 43), row.call(3, 43), row.call(204, 4)]).length }
  tell('has now') { Purchase.order(:id).map { |p| "#{p.id}=#{p.total.to_i}" }.join(' ') }
end
